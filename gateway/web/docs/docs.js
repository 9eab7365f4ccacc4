// Shows the API's description: operations by what they are about, with their parameters, bodies and answers, and a form
// to try each one out. Everything is made as text nodes; nothing of the description is ever taken as HTML.

const METHODS = ["get", "post", "put", "patch", "delete"];
const DEEPEST = 6;

const byId = (id) => document.getElementById(id);

/** An element with attributes and children; text becomes text. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

const response = await fetch("/api/openapi.json");
const description = await response.json();

/** What a reference means. */
function resolve(node) {
  if (!node?.$ref) return node ?? {};
  const parts = node.$ref.slice(2).split("/");
  const target = parts.reduce((place, part) => place?.[part.replaceAll("~1", "/").replaceAll("~0", "~")], description);
  return { ...resolve(target), ...(node.description ? { description: node.description } : {}) };
}

const nameOf = (node) => node?.$ref?.split("/").at(-1) ?? (node?.allOf?.length === 1 ? nameOf(node.allOf[0]) : undefined);

/** A schema with what it is composed of. */
function whole(node) {
  const schema = resolve(node);
  const parts = (schema.allOf ?? []).map(whole);
  return Object.assign({}, ...parts, schema);
}

function typeOf(node) {
  const name = nameOf(node);
  const schema = whole(node);
  if (schema.type === "array") return `list of ${typeOf(schema.items)}`;
  if (schema.enum && !name) return "one of a few";
  return name ?? [schema.type ?? "any"].flat().join(" or ");
}

/** An example of what a schema describes. */
function example(node, depth = 0) {
  const schema = whole(node);
  if (schema.example !== undefined) return schema.example;
  if (schema.enum) return schema.enum[0];
  const type = [schema.type].flat().find((name) => name !== "null");
  switch (type) {
    case "array": return depth < DEEPEST ? [example(schema.items, depth + 1)] : [];
    case "boolean": return false;
    case "integer": case "number": return schema.minimum > 0 ? schema.minimum : 0;
    case "string": return schema.pattern?.includes("[0-9]") ? "1" : "";
    default: break;
  }
  if (!schema.properties || depth >= DEEPEST) return {};
  // Of fields that exclude each other, one.
  const properties = Object.entries(schema.properties).slice(0, schema.maxProperties ?? Infinity);
  return Object.fromEntries(properties.map(([key, value]) => [key, example(value, depth + 1)]));
}

/** A table of fields; those with fields of their own can be opened. */
function fields(node, depth = 0) {
  const schema = whole(node);
  const target = schema.type === "array" ? whole(schema.items) : schema;
  if (!target.properties) {
    return target.enum ? element("p", { class: "about" }, target.enum.join(", ")) : null;
  }
  const rows = Object.entries(target.properties).map(([name, field]) => {
    const inner = whole(field);
    const about = element("td", {}, inner.description ?? "");
    const hasMore = inner.properties ?? inner.enum ?? inner.items?.$ref;
    if (hasMore && depth < DEEPEST) {
      const more = element("details", {}, element("summary", {}, "more"));
      more.addEventListener("toggle", () => more.children.length > 1 || more.append(fields(field, depth + 1) ?? ""));
      about.append(more);
    }
    const must = target.required?.includes(name) ? " *" : "";
    return element("tr", {}, element("th", {}, element("code", {}, name), must), element("td", { class: "type" }, typeOf(field)), about);
  });
  return element("table", {}, rows);
}

function parameters(list) {
  if (list.length === 0) return null;
  const rows = list.map((parameter) => element("tr", {},
    element("th", {}, element("code", {}, parameter.name), parameter.required ? " *" : ""),
    element("td", { class: "type" }, `${parameter.in}, ${typeOf(parameter.schema)}`),
    element("td", {}, parameter.description ?? "")));
  return [element("h3", {}, "Parameters"), element("table", {}, rows)];
}

const contentOf = (node) => Object.entries(node?.content ?? {})[0] ?? [];

function responses(operation) {
  const items = Object.entries(operation.responses).map(([status, node]) => {
    const answer = resolve(node);
    const [type, content] = contentOf(answer);
    const title = [element("code", {}, status === "default" ? "any other" : status), ` ${answer.description ?? ""}`];
    if (!content) return element("p", {}, title);
    const box = element("details", {}, element("summary", {}, title, element("span", { class: "about" }, ` ${typeOf(content.schema)}, ${type}`)));
    box.addEventListener("toggle", () => box.children.length > 1 || box.append(fields(content.schema) ?? ""));
    return box;
  });
  return [element("h3", {}, "Answers"), items];
}

/** A form that sends the request, with the token of the page. */
function attempt(method, path, operation, list) {
  const inputs = list.map((parameter) => {
    const input = element("input", { name: parameter.name, required: parameter.required, autocomplete: "off", spellcheck: "false" });
    return { parameter, input };
  });
  const [type, content] = contentOf(operation.requestBody);
  const isJson = type === "application/json";
  const body = content && isJson ? element("textarea", { spellcheck: "false" }) : null;
  if (body) body.value = JSON.stringify(example(content.schema), null, 2);
  const output = element("pre", { role: "status", hidden: true, tabindex: "0" });
  const form = element("form", { class: "try" },
    inputs.map(({ parameter, input }) => element("label", {}, parameter.name, input)),
    body ? element("label", { class: "whole" }, "Body", body) : null,
    element("div", {}, element("button", { type: "submit" }, "Send")),
    output);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    output.hidden = false;
    output.textContent = "…";
    try {
      output.textContent = await send(method, path, inputs, body?.value);
    } catch (error) {
      output.textContent = String(error);
    }
  });
  return [element("h3", {}, "Try it"), form];
}

async function send(method, path, inputs, body) {
  const headers = {};
  const query = new URLSearchParams();
  let place = path;
  for (const { parameter, input } of inputs) {
    if (parameter.in === "path") place = place.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (input.value === "") continue;
    else if (parameter.in === "query") query.append(parameter.name, input.value);
    else headers[parameter.name] = input.value;
  }
  const token = byId("token").value.trim();
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body?.trim()) headers["Content-Type"] = "application/json";
  const url = query.size > 0 ? `${place}?${query}` : place;
  const answer = await fetch(url, { method: method.toUpperCase(), headers, body: body?.trim() || undefined, credentials: "omit" });
  const text = await answer.text();
  let shown = text;
  try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* No JSON: as it is. */ }
  return `${method.toUpperCase()} ${url}\n${answer.status} ${answer.statusText}\n\n${shown}`;
}

function show(path, method, operation) {
  const list = (operation.parameters ?? []).map(resolve);
  const id = operation.operationId;
  const box = element("details", { class: "operation", id },
    element("summary", {},
      element("span", { class: `method ${method}` }, method.toUpperCase()),
      element("span", { class: "path" }, path),
      element("span", { class: "what" }, operation.summary ?? "")));
  box.addEventListener("toggle", () => {
    if (!box.open || box.children.length > 1) return;
    const [, content] = contentOf(operation.requestBody);
    box.append(element("div", { class: "inside" },
      operation.description ? element("p", { class: "about" }, operation.description) : null,
      parameters(list),
      content ? [element("h3", {}, "Body"), fields(content.schema)] : null,
      responses(operation),
      attempt(method, path, operation, list)));
  });
  const link = element("a", { href: `#${id}` }, element("span", { class: `method ${method}` }, method.toUpperCase()), ` ${operation.summary ?? path}`);
  link.addEventListener("click", () => { box.open = true; });
  const words = `${path} ${method} ${id} ${operation.summary ?? ""}`.toLowerCase();
  return { box, link, words };
}

const shown = [];
byId("title").textContent = `${description.info.title} API ${description.info.version}`;
byId("operations").replaceChildren(element("p", { class: "about" }, description.info.description ?? ""));
for (const tag of description.tags) {
  const of = Object.entries(description.paths).flatMap(([path, methods]) => METHODS
    .filter((method) => methods[method]?.tags?.includes(tag.name))
    .map((method) => show(path, method, methods[method])));
  if (of.length === 0) continue;
  const section = element("section", {}, element("h2", {}, tag.name), element("p", { class: "about" }, tag.description ?? ""), of.map(({ box }) => box));
  const part = element("div", {}, element("h2", {}, tag.name), of.map(({ link }) => link));
  byId("operations").append(section);
  byId("contents").append(part);
  shown.push({ section, part, of });
}

byId("find").addEventListener("input", (event) => {
  const wanted = event.target.value.trim().toLowerCase();
  for (const { section, part, of } of shown) {
    for (const { box, link, words } of of) box.hidden = link.hidden = !words.includes(wanted);
    section.hidden = part.hidden = of.every(({ box }) => box.hidden);
  }
});

/** Opens what the address names. */
function follow() {
  const box = byId(decodeURIComponent(location.hash.slice(1)));
  if (box?.tagName === "DETAILS") {
    box.open = true;
    box.scrollIntoView();
    box.querySelector("summary").focus({ preventScroll: true });
  }
}
addEventListener("hashchange", follow);
follow();
document.documentElement.dataset.ready = "true";
