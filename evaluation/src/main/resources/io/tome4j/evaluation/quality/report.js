'use strict';
const data = JSON.parse(document.getElementById('image-data').textContent);
const setting = document.getElementById('setting');
const order = document.getElementById('order');
const flipAll = document.getElementById('flip-all');
const list = document.querySelector('#images .cards');
const cards = [...list.children];
const flips = [...document.querySelectorAll('.flip')];
const source = image => 'data:image/jpeg;base64,' + image;

cards.forEach((card, i) => { card.querySelector('img.plain').src = source(data.cards[i].unmerged); });

function show() {
  const chosen = setting.selectedIndex;
  const name = data.settings[chosen];
  cards.forEach((card, i) => {
    const image = card.querySelector('img.merged');
    image.src = source(data.cards[i].merged[chosen]);
    image.alt = data.cards[i].prompt + ', ' + name;
    card.querySelector('.badge.merged').textContent = name;
    card.querySelector('.told').textContent = data.cards[i].told[chosen];
  });
  sort();
}

function sort() {
  const chosen = setting.selectedIndex;
  const sign = { least: -1, most: 1 }[order.value];
  const ranked = cards.map((card, i) => ({ card, i, good: data.cards[i].good[chosen] }));
  if (sign) {
    ranked.sort((a, b) => sign * ((a.good ?? Infinity) - (b.good ?? Infinity)) || a.i - b.i);
  }
  if (ranked.some((entry, place) => list.children[place] !== entry.card)) {
    const focused = document.activeElement; // an element that is moved loses it
    list.append(...ranked.map(entry => entry.card));
    focused.focus({ preventScroll: true });
  }
}

function flip(button, on) {
  button.setAttribute('aria-pressed', String(on));
}

function flipEach() {
  const on = flipAll.getAttribute('aria-pressed') !== 'true';
  flip(flipAll, on);
  document.querySelectorAll('#images .flip').forEach(button => flip(button, on));
}

flips.forEach(button => {
  button.addEventListener('click', () => flip(button, button.getAttribute('aria-pressed') !== 'true'));
  // a finger is over nothing: it taps
  button.addEventListener('pointerenter', event => button.classList.toggle('over', event.pointerType === 'mouse'));
  button.addEventListener('pointerleave', () => button.classList.remove('over'));
});
flipAll.addEventListener('click', flipEach);
setting.addEventListener('change', show);
order.addEventListener('change', sort);
document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLSelectElement) {
    return;
  }
  if (event.key === 'f' || event.key === 'F') {
    flipEach();
  } else if (event.target.closest('#images .flip') && (event.key === 'ArrowLeft' || event.key === 'ArrowRight')) {
    const step = event.key === 'ArrowRight' ? 1 : -1;
    setting.selectedIndex = (setting.selectedIndex + step + setting.length) % setting.length;
    show();
    event.preventDefault();
  }
});
show();
