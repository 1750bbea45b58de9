/** What came of it: figures, and what merged and what did not. */

const byId = (id) => document.getElementById(id);

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

const seconds = (value) => (value >= 10 ? value.toFixed(1) : value >= 0.1 ? value.toFixed(2) : value.toFixed(3)) + " s";

/** The figures under the image. */
export function figures(merged, unmerged, likeness) {
  const list = byId("figures");
  list.replaceChildren();
  const add = (name, value, className) => {
    const pair = element("div", undefined, className);
    pair.append(element("dt", name), element("dd", value));
    list.append(pair);
  };
  const before = unmerged?.seconds_per_step;
  const after = merged.seconds_per_step;
  if (before) add("Unmerged step", seconds(before));
  if (after) add(merged.merging?.merges ? "Merged step" : "Step", seconds(after));
  if (before && after) add("Speed-up", `${(before / after).toFixed(2)}\u00d7`, "main");
  if (likeness?.psnr) add("PSNR", likeness.psnr);
  if (likeness?.ssim) add("SSIM", likeness.ssim);
}

/** What merging did, and what it left alone and why. */
export function explain(image) {
  const place = byId("explained");
  place.replaceChildren();
  const merging = image.merging;
  if (!merging) {
    place.append(element("p", "Interrupted: this is the image as far as it was."));
    return;
  }
  place.append(element("h2", "What merged"));
  if (!merging.merges) {
    place.append(element("p", "Nothing: merging is off."));
    return;
  }
  const saved = merging.tokens_before
    ? Math.round(100 * (1 - merging.tokens_after / merging.tokens_before))
    : 0;
  place.append(
    element(
      "p",
      `${merging.blocks.length} of ${merging.blocks_in_model} transformer blocks work on ${saved}% fewer tokens.`,
    ),
  );
  const notes = element("ul");
  const alone = merging.blocks_in_model - merging.blocks.length - merging.unmerged.length;
  if (alone > 0) {
    notes.append(
      element(
        "li",
        `${alone} ${alone === 1 ? "block is" : "blocks are"} left alone: coarser than \u201cMerge down to\u201d says, ` +
          "where there are fewer tokens and less to save.",
      ),
    );
  }
  for (const note of merging.notes) notes.append(element("li", note));
  if (notes.children.length) place.append(notes);
  if (image.dropped_words) {
    place.append(element("p", `The prompt was too long; the model never saw: ${image.dropped_words}`));
  }
  if (merging.blocks.length) place.append(table(merging));
}

function table(merging) {
  const details = element("details");
  details.append(element("summary", "Block by block"));
  const scroll = element("div", undefined, "scroll");
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "Blocks that merge");
  const rows = element("table");
  const head = rows.createTHead().insertRow();
  const reasons = merging.unmerged.length ? [["Why not", ""]] : [];
  for (const [name, className] of [["Block", ""], ["Tokens", "number"], ["After merging", "number"], ...reasons]) {
    const cell = element("th", name, className);
    cell.scope = "col";
    head.append(cell);
  }
  const body = rows.createTBody();
  for (const block of merging.blocks) {
    const row = body.insertRow();
    row.append(
      element("td", block.name),
      element("td", String(block.tokens_before), "number"),
      element("td", String(block.tokens_after), "number"),
    );
    if (reasons.length) row.append(element("td", ""));
  }
  for (const block of merging.unmerged) {
    const row = body.insertRow();
    row.append(
      element("td", block.name),
      element("td", String(block.tokens), "number"),
      element("td", String(block.tokens), "number"),
      element("td", block.reason),
    );
  }
  scroll.append(rows);
  details.append(scroll);
  return details;
}
