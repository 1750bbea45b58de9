/** What the page asks the server for. */

async function failure(response) {
  let detail = `The server answered with status ${response.status}`;
  try {
    detail = (await response.json()).detail || detail;
  } catch {
    // no JSON: the status has to do
  }
  const wait = response.headers.get("Retry-After");
  const error = new Error(wait ? `${detail} (in ${wait} s).` : detail);
  error.status = response.status;
  return error;
}

async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw await failure(response);
  return response;
}

export async function info() {
  const response = await fetch("tome4j/v1/info");
  if (!response.ok) throw await failure(response);
  return response.json();
}

export async function interrupt(job) {
  await post(`tome4j/v1/jobs/${job}/interrupt`, {});
}

export async function compare(unmerged, merged) {
  return (await post("tome4j/v1/compare", { unmerged, merged })).json();
}

export async function parameters(image) {
  return (await post("tome4j/v1/parameters", { image })).json();
}

/** Makes images; calls `on[event](data)` as events come, and returns what came of it. */
export async function generate(request, on) {
  const response = await post("tome4j/v1/generate", request);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error("The server ended the answer before the image was done.");
    text += value;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const event = parse(text.slice(0, end));
      text = text.slice(end + 2);
      if (event.name === "done") return event.data;
      if (event.name === "error") throw new Error(event.data.detail);
      on[event.name]?.(event.data);
    }
  }
}

function parse(block) {
  const event = { name: "", data: null };
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) event.name = line.slice(7);
    if (line.startsWith("data: ")) event.data = JSON.parse(line.slice(6));
  }
  return event;
}
