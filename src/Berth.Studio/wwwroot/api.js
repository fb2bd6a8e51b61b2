// The calls to the program behind the page. Every address is relative, so the page works below any path.

/** A failed call: what happened, what it means for the data, what to do. */
export class ApiError extends Error {
  constructor(status, title, detail = '', remedy = '', type = '') {
    super(title);
    Object.assign(this, { status, title, detail, remedy, code: type.replace('urn:studio:problem:', '') });
  }
}

/** What a failed answer says. */
async function problemOf(response) {
  if (response.type === 'opaqueredirect') {
    return new ApiError(401, 'Your session has ended.', 'Nothing was changed. What you have not saved is still in this page.',
      'Open the workspace in another tab to sign in, then try again here.');
  }
  const body = await response.json().catch(() => ({}));
  return new ApiError(response.status, body.title ?? `The server answered ${response.status}.`, body.detail, body.remedy, body.type);
}

/** A request; throws an ApiError. */
export async function call(path, { method = 'GET', query = {}, headers = {}, body } = {}) {
  const url = new URL('api/' + path, document.baseURI);
  for (const [name, value] of Object.entries(query)) {
    url.searchParams.set(name, value);
  }
  let response;
  try {
    response = await fetch(url, { method, headers: { 'X-Studio-Request': '1', ...headers }, body, redirect: 'manual', cache: 'no-store' });
  } catch {
    throw new ApiError(0, 'The workspace cannot be reached.', 'It is not known whether a change was made; what you typed is still here.',
      'Check your connection, then try again.');
  }
  if (!response.ok) {
    throw await problemOf(response);
  }
  return response;
}

export const whoami = () => call('whoami').then(r => r.json());
export const list = path => call('files', { query: { path } }).then(r => r.json());
export const stat = path => call('files/stat', { query: { path } }).then(r => r.json());
export const mkdir = (path, parents = false) => call('files/folder', { method: 'POST', query: { path, parents } });
export const remove = (path, recursive) => call('files', { method: 'DELETE', query: { path, recursive } });
export const rename = (from, to, overwrite = false) => call('files/rename', {
  method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ from, to, overwrite }),
});

/** The bytes and the version of a file. */
export async function read(path) {
  const response = await call('files/content', { query: { path } });
  return { bytes: new Uint8Array(await response.arrayBuffer()), etag: response.headers.get('ETag') };
}

/** Saves; `etag` is the version that may be replaced, '*' any, null for a new file. Returns the new version. */
export async function write(path, body, etag, parents = false) {
  const headers = etag === null ? { 'If-None-Match': '*' } : { 'If-Match': etag };
  const response = await call('files/content', { method: 'PUT', query: { path, parents }, headers, body });
  return response.headers.get('ETag');
}

/** The address that downloads a file, or a folder as a zip. */
export function downloadUrl(path, isFolder) {
  const url = new URL(isFolder ? 'api/files/archive' : 'api/files/content', document.baseURI);
  url.searchParams.set('path', path);
  return url;
}
