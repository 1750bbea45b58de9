/** The playground: runs what the form says, and shows it. */
import * as api from "./api.js";
import { base64 } from "./begin.js";
import "./compare-slider.js";
import { Form } from "./form.js";
import { explain, figures } from "./report.js";

const byId = (id) => document.getElementById(id);
const SPOKEN_EVERY = 6000; // milliseconds between what a screen reader is told
const KEPT = 12; // unmerged images, by what they were made from

const unmergedImages = new Map();
let form;
let running = null; // { job, interrupted } while images are made
let shown = null; // { merged, unmerged } that the stage shows
let lastSpoken = 0;

const png = (base64) => `data:image/png;base64,${base64}`;

function speak(text, now = true) {
  if (!now && Date.now() - lastSpoken < SPOKEN_EVERY) return;
  lastSpoken = Date.now();
  byId("live").textContent = text;
}

function timeLeft(seconds) {
  if (seconds === undefined) return "";
  if (seconds < 1) return ", almost done";
  return seconds < 90 ? `, about ${Math.ceil(seconds)} s left` : `, about ${Math.ceil(seconds / 60)} min left`;
}

/** Makes one image and shows how far it is; `parts` is how many images this press of the button makes. */
async function make(request, what, part, parts) {
  let secondsOfPart = 0;
  const on = {
    job: ({ id }) => {
      running.job = id;
    },
    progress: (progress) => {
      if (progress.seconds_left !== undefined && progress.share > 0) {
        secondsOfPart = progress.seconds_left / (1 - progress.share || 1);
      }
      const later = (parts - part - 1) * secondsOfPart;
      const left = progress.seconds_left === undefined ? undefined : progress.seconds_left + later;
      const text =
        progress.position > 0
          ? `${progress.position} before you`
          : progress.steps
            ? `${what}: step ${progress.step} of ${progress.steps}${timeLeft(left)}`
            : `${what}: beginning`;
      byId("progress-text").textContent = text;
      byId("progress").value = (part + progress.share) / parts;
      speak(text, false);
    },
    preview: (preview) => {
      byId("preview").src = png(preview.png);
      byId("preview").hidden = false;
    },
  };
  return api.generate(request, on);
}

function busy(on) {
  byId("generate").disabled = on;
  byId("interrupt").hidden = !on;
  byId("interrupt").disabled = false;
  byId("working").hidden = !on;
  byId("frame").setAttribute("aria-busy", String(on));
  if (on) {
    byId("error").textContent = "";
    byId("note").textContent = "";
    byId("progress").value = 0;
    byId("progress-text").textContent = "Waiting for the server";
    byId("preview").hidden = true;
    byId("empty").hidden = true;
  }
}

async function run() {
  const request = form.request();
  const merging = form.merging();
  const key = form.key(request);
  const compares = merging !== false && form.compares;
  const parts = compares && !unmergedImages.has(key) ? 2 : 1;
  running = { job: null, interrupted: false };
  busy(true);
  speak("Generating");
  try {
    let unmerged = compares ? unmergedImages.get(key) : undefined;
    if (parts === 2) {
      const done = await make({ ...request, token_merging: false }, "Unmerged", 0, parts);
      unmerged = done.images[0];
      if (!unmerged) throw new Error("Interrupted before it had begun.");
      if (done.interrupted) {
        show(unmerged, undefined, request.prompt, undefined);
        return;
      }
      unmergedImages.set(key, unmerged);
      if (unmergedImages.size > KEPT) unmergedImages.delete(unmergedImages.keys().next().value);
    }
    const what = merging === false ? "Unmerged" : "Merged";
    const done = await make({ ...request, token_merging: merging, merge_map: true }, what, parts - 1, parts);
    const merged = done.images[0];
    if (!merged) throw new Error("Interrupted before it had begun.");
    if (merging === false && !done.interrupted) unmergedImages.set(key, merged);
    let likeness;
    if (unmerged && !done.interrupted) {
      byId("progress-text").textContent = "Comparing";
      likeness = await api.compare(unmerged.png, merged.png);
    }
    show(merged, done.interrupted ? undefined : unmerged, request.prompt, likeness);
  } catch (error) {
    byId("error").textContent = error.message;
    byId("empty").hidden = shown !== null;
  } finally {
    running = null;
    busy(false);
  }
}

function show(merged, unmerged, prompt, likeness) {
  shown = { merged, unmerged };
  byId("slider").show(png(merged.png), unmerged && png(unmerged.png), prompt || "Image");
  byId("results").hidden = false;
  const map = byId("show-map");
  map.hidden = !merged.merge_map;
  map.setAttribute("aria-pressed", "false");
  byId("infotext").textContent = merged.infotext;
  byId("download").href = png(merged.png);
  byId("download").download = `${(prompt || "image").slice(0, 40).replace(/[^\p{L}\p{N}]+/gu, "-")}-${merged.seed}.png`;
  figures(merged, unmerged, likeness);
  explain(merged);
  const before = unmerged?.seconds_per_step;
  const faster = before && merged.seconds_per_step ? `, ${(before / merged.seconds_per_step).toFixed(2)} times as fast` : "";
  speak(`Done${faster}`);
}

function toggleMap() {
  const map = byId("show-map");
  const on = map.getAttribute("aria-pressed") !== "true";
  map.setAttribute("aria-pressed", String(on));
  byId("slider").under.src = png(on ? shown.merged.merge_map : shown.merged.png);
}

async function copy() {
  const text = shown.merged.infotext;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const selection = getSelection(); // a page that is not secure may not write to the clipboard by itself
    byId("infotext").closest("details").open = true;
    selection.selectAllChildren(byId("infotext"));
    document.execCommand("copy");
  }
  speak("Parameters copied");
  byId("copy").textContent = "Copied";
  setTimeout(() => (byId("copy").textContent = "Copy parameters"), 1500);
}

async function load(file) {
  byId("error").textContent = "";
  let parameters;
  try {
    parameters = await api.parameters(await base64(file));
  } catch (error) {
    if (error.status === 422) await begin(file, "It says nothing of what it was made from, so it is what to begin with.");
    else byId("error").textContent = error.message;
    return;
  }
  form.fill(parameters);
  const again = parameters.begins_with_image && !form.beginning.isChosen;
  byId("note").textContent = again ? "It was made from another image: choose that one to begin with, too." : "";
  speak(`The form was filled from the image. ${byId("note").textContent}`);
}

/** Has the next image begin with one. */
async function begin(blob, note) {
  byId("error").textContent = "";
  try {
    await form.beginning.choose(blob);
    byId("note").textContent = note;
    speak(`The next image begins with this one. ${note}`);
  } catch (error) {
    byId("error").textContent = error.message;
  }
}

async function beginWithShown() {
  const bytes = Uint8Array.from(atob(shown.merged.png), (each) => each.charCodeAt(0)); // a data: address may not be fetched
  await begin(new Blob([bytes], { type: "image/png" }), "");
  byId("begin").querySelector("summary").focus();
}

function acceptDrops() {
  const hasFile = (event) => [...event.dataTransfer.types].includes("Files");
  addEventListener("dragover", (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  addEventListener("drop", (event) => {
    document.body.classList.remove("dropping");
    if (!hasFile(event)) return;
    event.preventDefault();
    const file = event.dataTransfer.files[0];
    if (file && event.target.closest?.("#begin")) begin(file, "");
    else if (file) load(file);
  });
}

async function start() {
  const info = await api.info();
  form = new Form(info);
  byId("model-name").textContent = info.models[0].name;
  byId("version").textContent = info.version;
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!running) run();
  });
  byId("interrupt").addEventListener("click", () => {
    byId("interrupt").disabled = true;
    if (running?.job) api.interrupt(running.job);
  });
  byId("show-map").addEventListener("click", toggleMap);
  byId("copy").addEventListener("click", copy);
  byId("begin-with").addEventListener("click", beginWithShown);
  byId("file").addEventListener("change", (event) => {
    if (event.target.files[0]) load(event.target.files[0]);
    event.target.value = "";
  });
  acceptDrops();
  document.documentElement.dataset.ready = "true";
}

start().catch((error) => {
  byId("error").textContent = error.message;
});
