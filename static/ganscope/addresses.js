// Where the server's addresses begin, whatever stands before them: a proxy's prefix, or server.baseUrlPath.
export const BASE = new URL("../../../../", import.meta.url); // this file is app/static/code/VERSION/addresses.js
