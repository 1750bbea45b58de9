/** The image to begin with, and the mask that is painted on it. */

const byId = (id) => document.getElementById(id);
const PAINT = "#e5308f"; // stands out from most images; only where it is counts

export async function base64(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let binary = "";
  for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(binary);
}

async function loaded(image, url, name) {
  image.src = url;
  try {
    await image.decode();
  } catch {
    throw new Error(`${name} cannot be shown as an image: take a PNG, JPEG or WebP.`);
  }
}

export class Beginning {
  #image = ""; // in base64, as the file has it; empty for none
  #painted = false;
  #version = 0; // another one for each image and mask
  #last = null; // where the brush was
  #sized;

  /** @param sized told of the image's width and height when one is chosen */
  constructor(sized) {
    this.#sized = sized;
    this.canvas = byId("mask");
    this.context = this.canvas.getContext("2d");
    byId("init-file").addEventListener("change", (event) => this.#chosen(event, (file) => this.choose(file)));
    byId("mask-file").addEventListener("change", (event) => this.#chosen(event, (file) => this.paintFrom(file)));
    byId("mask-clear").addEventListener("click", () => this.clearMask());
    byId("mask-invert").addEventListener("click", () => this.invert());
    byId("init-remove").addEventListener("click", () => this.remove());
    byId("strength").addEventListener("input", () => this.#showStrength());
    this.canvas.addEventListener("pointerdown", (event) => this.#press(event));
    this.canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) this.canvas.addEventListener(end, () => (this.#last = null));
    this.canvas.addEventListener("keydown", (event) => this.#key(event));
    this.canvas.addEventListener("blur", () => (byId("brush-place").hidden = true));
    this.#showStrength();
  }

  async #chosen(event, take) {
    const file = event.target.files[0];
    event.target.value = "";
    byId("error").textContent = "";
    try {
      if (file) await take(file);
    } catch (error) {
      byId("error").textContent = error.message;
    }
  }

  get isChosen() {
    return this.#image !== "";
  }

  /** Takes a file, or what else has an image's bytes. */
  async choose(blob) {
    const image = byId("init-image");
    const url = URL.createObjectURL(blob);
    const before = image.src;
    try {
      await loaded(image, url, blob.name ?? "This");
    } catch (error) {
      image.src = before;
      URL.revokeObjectURL(url);
      throw error;
    }
    if (before.startsWith("blob:")) URL.revokeObjectURL(before);
    this.#image = await base64(blob);
    this.canvas.width = image.naturalWidth;
    this.canvas.height = image.naturalHeight;
    this.#place = { x: image.naturalWidth / 2, y: image.naturalHeight / 2 };
    this.clearMask();
    byId("begin-tools").hidden = false;
    byId("begin").open = true;
    byId("begin-state").textContent = `${blob.name ? `${blob.name}, ` : ""}${image.naturalWidth} x ${image.naturalHeight} pixels`;
    this.#sized(image.naturalWidth, image.naturalHeight);
  }

  remove() {
    const image = byId("init-image");
    if (image.src.startsWith("blob:")) URL.revokeObjectURL(image.src);
    image.removeAttribute("src");
    this.#image = "";
    this.#version++;
    byId("begin-tools").hidden = true;
    byId("begin-state").textContent = "";
    byId("init-file").focus();
  }

  #changed(painted) {
    this.#painted = painted;
    this.#version++;
    byId("mask-state").textContent = painted ? "Only what is painted is made anew." : "All of the image is made anew.";
  }

  clearMask() {
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.#changed(false);
  }

  /** What was painted is no more, and the rest is. */
  invert() {
    const { context, canvas } = this;
    context.globalCompositeOperation = "source-out";
    context.fillStyle = PAINT;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.globalCompositeOperation = "source-over";
    this.#changed(true);
  }

  /** Paints what is light in an image, or, if parts of it are transparent, what is not. */
  async paintFrom(blob) {
    const url = URL.createObjectURL(blob);
    const image = new Image();
    try {
      await loaded(image, url, blob.name ?? "The mask");
    } finally {
      URL.revokeObjectURL(url);
    }
    const { context, canvas } = this;
    this.clearMask();
    context.imageSmoothingEnabled = false;
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
    const { data } = pixels;
    let transparent = false;
    for (let i = 3; i < data.length && !transparent; i += 4) transparent = data[i] < 255;
    for (let i = 0; i < data.length; i += 4) {
      const light = 0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2];
      data[i + 3] = (transparent ? data[i + 3] : light) > 127 ? 255 : 0;
      [data[i], data[i + 1], data[i + 2]] = [0xe5, 0x30, 0x8f];
    }
    context.putImageData(pixels, 0, 0);
    this.#changed(true);
  }

  #place = { x: 0, y: 0 }; // of the brush that keys move, in pixels of the image

  /** In pixels of the image, for so many of the screen. */
  get #scale() {
    return this.canvas.width / (this.canvas.getBoundingClientRect().width || 1);
  }

  get #brush() {
    return (Number(byId("brush").value) / 100) * Math.max(this.canvas.width, this.canvas.height);
  }

  #stroke(from, to) {
    const { context } = this;
    context.globalCompositeOperation = byId("erase").checked ? "destination-out" : "source-over";
    context.strokeStyle = PAINT;
    context.lineWidth = this.#brush;
    context.lineCap = "round";
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y + 0.001); // a line without length is not drawn everywhere
    context.stroke();
    context.globalCompositeOperation = "source-over";
    this.#changed(true);
  }

  #at(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: (event.clientX - box.left) * this.#scale, y: (event.clientY - box.top) * this.#scale };
  }

  #press(event) {
    if (event.button !== 0) return;
    event.preventDefault(); // the page is not to be scrolled, or the image dragged
    this.canvas.setPointerCapture(event.pointerId);
    this.#last = this.#at(event);
    this.#stroke(this.#last, this.#last);
  }

  #move(event) {
    if (!this.#last) return;
    const now = this.#at(event);
    this.#stroke(this.#last, now);
    this.#last = now;
  }

  #key(event) {
    const step = Math.max(1, this.#brush / 2);
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const from = { ...this.#place };
    if (ways[event.key]) {
      const [x, y] = ways[event.key];
      this.#place.x = Math.min(this.canvas.width, Math.max(0, from.x + x * step));
      this.#place.y = Math.min(this.canvas.height, Math.max(0, from.y + y * step));
      if (event.shiftKey) this.#stroke(from, this.#place);
    } else if (event.key === " ") {
      this.#stroke(from, from);
    } else {
      return;
    }
    event.preventDefault();
    const mark = byId("brush-place");
    mark.hidden = false;
    mark.style.left = `${(100 * this.#place.x) / this.canvas.width}%`;
    mark.style.top = `${(100 * this.#place.y) / this.canvas.height}%`;
    mark.style.width = mark.style.height = `${this.#brush / this.#scale}px`;
  }

  #showStrength() {
    byId("strength-shown").textContent = Number(byId("strength").value).toFixed(2);
  }

  /** White where it is painted, on black; empty if nothing is. */
  #mask() {
    const { width, height } = this.canvas;
    const { data } = this.context.getImageData(0, 0, width, height);
    let any = false;
    for (let i = 3; i < data.length && !any; i += 4) any = data[i] > 0;
    if (!any) return "";
    const mask = document.createElement("canvas");
    Object.assign(mask, { width, height });
    const context = mask.getContext("2d");
    const pixels = context.createImageData(width, height);
    for (let i = 0; i < data.length; i += 4) {
      pixels.data[i] = pixels.data[i + 1] = pixels.data[i + 2] = data[i + 3];
      pixels.data[i + 3] = 255;
    }
    context.putImageData(pixels, 0, 0);
    return mask.toDataURL("image/png").split(",")[1];
  }

  /** What a request says of it; nothing if there is no image. */
  fields() {
    if (!this.isChosen) return {};
    const fields = { image: this.#image, strength: Number(byId("strength").value) };
    const mask = this.#painted ? this.#mask() : "";
    if (mask) {
      fields.mask = mask;
      const blur = Number(byId("mask_blur").value);
      if (blur > 0) fields.mask_blur = blur;
      if (byId("only-masked").checked) fields.padding_mask_crop = 32;
    }
    return fields;
  }

  /** Instead of the image and the mask, where requests are told apart. */
  get key() {
    return this.isChosen ? String(this.#version) : "";
  }

  fill(parameters) {
    if (parameters.strength > 0) byId("strength").value = String(parameters.strength);
    if (parameters.mask_blur > 0) byId("mask_blur").value = String(parameters.mask_blur);
    byId("only-masked").checked = parameters.padding_mask_crop >= 0;
    this.#showStrength();
  }
}
