import { Beginning } from "./begin.js";

/** The form: what it offers, what it says, and what an image fills it with. */

const byId = (id) => document.getElementById(id);
const UNKNOWN_AREA = 768 * 768; // pixels that suit a model which does not say
const NUMBERS = ["width", "height", "num_inference_steps", "guidance_scale"];

export class Form {
  #info;
  #extra = new Map(); // the options of merging that have no place of their own, by name

  constructor(info) {
    this.#info = info;
    this.element = byId("form");
    for (const { name } of info.models) byId("model").append(new Option(name, name));
    byId("model-field").hidden = info.models.length < 2;
    for (const { name, title } of info.schedulers) byId("scheduler").append(new Option(title, name));
    this.#offerMerging();
    byId("model").addEventListener("change", () => this.useDefaults());
    byId("dice").addEventListener("click", () => this.drawSeed());
    byId("surprise").addEventListener("click", () => this.suggest());
    byId("ratio").addEventListener("input", () => this.#explainRatio());
    this.element.addEventListener("change", () => this.#explainRatio());
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.element.requestSubmit();
    });
    this.beginning = new Beginning((width, height) => this.#fit(width, height));
    this.useDefaults();
    this.drawSeed();
    this.fillMerging(info.token_merging);
  }

  get #model() {
    return this.#info.models.find((model) => model.name === byId("model").value) ?? this.#info.models[0];
  }

  #offerMerging() {
    for (const option of this.#info.merging_options) {
      if (option.name === "ratio" || option.name === "max_downsample") continue;
      if (option.name === "method") {
        for (const choice of option.choices) byId("method").append(new Option(choice, choice));
        continue;
      }
      const input = this.#input(option);
      this.#extra.set(option.name, { option, input });
    }
  }

  #input(option) {
    const id = `merging-${option.name}`;
    const label = document.createElement("label");
    const words = option.name.replaceAll("_", " ");
    let input;
    if (option.kind === "choice") {
      input = document.createElement("select");
      for (const choice of option.choices) input.append(new Option(choice, choice));
    } else {
      input = document.createElement("input");
      input.type = option.kind === "flag" ? "checkbox" : "number";
      if (option.kind === "number") input.step = "any";
      if (option.kind === "text") input.type = "text";
    }
    input.id = id;
    input.title = option.description;
    label.htmlFor = id;
    if (option.kind === "flag") {
      label.className = "check";
      label.append(input, words);
      byId("merging-options").append(label);
    } else {
      label.textContent = words;
      const field = document.createElement("div");
      field.className = "field";
      field.append(label, input);
      byId("merging-options").append(field);
    }
    return input;
  }

  useDefaults() {
    const { defaults, prompts } = this.#model;
    for (const name of NUMBERS) {
      this.element.elements[name].value = defaults[name] || "";
    }
    byId("surprise").hidden = prompts.length === 0;
    byId("prompt").placeholder = prompts.length ? "a red apple" : "a photo of an astronaut riding a horse";
    byId("steps").max = this.#info.limits.max_steps;
  }

  suggest() {
    const { prompts } = this.#model;
    byId("prompt").value = prompts[Math.floor(Math.random() * prompts.length)];
  }

  drawSeed() {
    byId("seed").value = String(crypto.getRandomValues(new Uint32Array(1))[0]);
  }

  /** The size of an image, or, if it is larger than suits the model, one of the same shape that does. */
  #fit(width, height) {
    const { defaults } = this.#model;
    const area = defaults.width * defaults.height || UNKNOWN_AREA;
    const least = 64 / Math.min(width, height); // narrower images are none
    const scale = Math.max(least, Math.min(1, Math.sqrt(area / (width * height))));
    const side = (pixels) => Math.round((pixels * scale) / 8) * 8;
    byId("width").value = String(side(width));
    byId("height").value = String(side(height));
  }

  /** The largest ratio that has an effect: one token of each cell stays. */
  #most() {
    if (byId("method").value === "todo") return 1;
    const side = (name) => Number(this.#extra.get(name)?.input.value) || 1;
    return 1 - 1 / (side("sx") * side("sy"));
  }

  #explainRatio() {
    const ratio = Number(byId("ratio").value);
    const most = this.#most();
    byId("ratio-shown").textContent = ratio === 0 ? "off" : ratio.toFixed(2);
    byId("ratio-most").value = String(most);
    byId("ratio-hint").textContent =
      ratio > most ? `Above ${most.toFixed(2)} nothing more is merged: one token of each cell stays.` : "";
    byId("compare").disabled = ratio === 0;
  }

  /** The request without merging. */
  request() {
    const elements = this.element.elements;
    const request = { prompt: byId("prompt").value, model: this.#model.name };
    for (const name of NUMBERS) {
      if (elements[name].value !== "") request[name] = Number(elements[name].value);
    }
    request.seed = byId("seed").value.trim(); // a text: seeds are larger than numbers can be exact
    if (byId("negative").value) request.negative_prompt = byId("negative").value;
    if (byId("scheduler").value) request.scheduler = byId("scheduler").value;
    if (byId("syntax").value !== "plain") request.prompt_syntax = byId("syntax").value;
    return { ...request, ...this.beginning.fields() };
  }

  /** What tells a request from others. */
  key(request) {
    return JSON.stringify({ ...request, image: this.beginning.key, mask: undefined });
  }

  /** The options of merging; `false` for none. */
  merging() {
    const ratio = Number(byId("ratio").value);
    if (ratio === 0) return false;
    const options = { ratio };
    const usual = this.#info.token_merging;
    for (const name of ["method", "max_downsample"]) {
      if (byId(name).value !== String(usual[name])) options[name] = byId(name).value;
    }
    for (const [name, { option, input }] of this.#extra) {
      const value = option.kind === "flag" ? input.checked : input.value;
      if (String(value) !== String(usual[name])) options[name] = value; // what is usual may not go with all else
    }
    return options;
  }

  get compares() {
    return byId("compare").checked && !byId("compare").disabled;
  }

  fillMerging(options) {
    byId("ratio").value = String(options.ratio);
    byId("method").value = options.method;
    byId("max_downsample").value = String(options.max_downsample);
    for (const [name, { option, input }] of this.#extra) {
      if (option.kind === "flag") input.checked = options[name];
      else input.value = options[name];
    }
    this.#explainRatio();
  }

  /** Fills in what an image was made from. */
  fill(parameters) {
    const elements = this.element.elements;
    byId("prompt").value = parameters.prompt;
    byId("negative").value = parameters.negative_prompt;
    for (const name of NUMBERS) elements[name].value = parameters[name] || elements[name].value;
    byId("seed").value = String(parameters.seed);
    byId("scheduler").value = parameters.scheduler;
    byId("syntax").value = parameters.prompt_syntax;
    this.beginning.fill(parameters);
    if (byId("negative").value || byId("syntax").value !== "plain") byId("more").open = true;
    this.fillMerging(parameters.token_merging);
  }
}

