// Pictures that the server keeps: fetched with the token, shown from memory.
//
// An `<img>` cannot carry a token, so the bytes are fetched and shown from an address of this page alone. The most
// recently used ones are kept.

import { tokens } from "./account.js";
import { Api } from "./api.js";

const KEEP = 200;
/** Where files of this server are. Pictures from elsewhere are not loaded: they would tell their host who reads. */
const OWN_FILE = /^\/api\/v1\/files\/([\w.-]+)$/;

const api = new Api(tokens);
/** Path -> a promise of its address. */
const kept = new Map();

/** Where to get the thumbnail of a file of this server, or null for anything else. */
export function thumbnailPath(url) {
  const id = OWN_FILE.exec(url)?.[1];
  return id ? `files/${id}/thumbnail` : null;
}

/** Shows the picture at this path of the API in an `<img>`; it stays hidden where there is none. */
export async function showPicture(image, path) {
  image.hidden = true;
  try {
    image.src = await addressOf(path);
    image.hidden = false;
  } catch {
    // The initials, or the name of the file, stand there instead.
  }
}

function addressOf(path) {
  const known = kept.get(path);
  kept.delete(path);
  const address = known ?? api.bytes(path).then((blob) => URL.createObjectURL(blob));
  kept.set(path, address);
  // What failed may work the next time.
  address.catch(() => kept.delete(path));
  if (kept.size > KEEP) forget(kept.keys().next().value);
  return address;
}

/** Somebody logged out: nothing of theirs stays. */
export function forgetPictures() {
  for (const path of [...kept.keys()]) forget(path);
}

function forget(path) {
  kept.get(path)?.then(
    (address) => URL.revokeObjectURL(address),
    () => {},
  );
  kept.delete(path);
}
