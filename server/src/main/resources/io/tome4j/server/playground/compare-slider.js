/** Two images under one divider, which is an input: keys, touch and screen readers move it. */
class CompareSlider extends HTMLElement {
  connectedCallback() {
    if (this.firstChild) return;
    this.under = this.#image("");
    this.over = this.#image("over");
    this.#tag("Unmerged", "left");
    this.#tag("Merged", "right");
    this.input = document.createElement("input");
    this.input.type = "range";
    this.input.min = "0";
    this.input.max = "100";
    this.input.value = "50";
    this.input.setAttribute("aria-label", "Divider: how much of the image is shown unmerged, in percent");
    this.input.addEventListener("input", () => this.style.setProperty("--at", `${this.input.value}%`));
    this.append(this.input);
    const divider = document.createElement("div");
    divider.className = "divider";
    this.append(divider);
  }

  #image(className) {
    const image = document.createElement("img");
    image.className = className;
    this.append(image);
    return image;
  }

  #tag(text, side) {
    const tag = document.createElement("span");
    tag.className = `tag ${side}`;
    tag.textContent = text;
    tag.setAttribute("aria-hidden", "true");
    this.append(tag);
  }

  /** Shows two images, or, without the unmerged one, the other alone. */
  show(merged, unmerged, description) {
    this.classList.toggle("single", !unmerged);
    this.under.src = merged;
    this.under.alt = unmerged ? `${description}, merged` : description;
    if (unmerged) {
      this.over.src = unmerged;
      this.over.alt = `${description}, unmerged`;
    } else {
      this.over.removeAttribute("src");
      this.over.alt = "";
    }
    this.hidden = false;
  }
}

customElements.define("compare-slider", CompareSlider);
