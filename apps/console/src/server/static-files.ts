import { createReadStream } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { TidemarkError } from '@tidemark/kernel';
import { securityHeaders } from './security-headers.ts';

const contentTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** Names under this path carry a hash of their content, so a copy never goes stale. */
const hashedPrefix = '/assets/';

/** The built web app on disk. */
export interface StaticFiles {
  /** Answers a GET or HEAD: the file, or the app's page for every path that the app routes itself. */
  serve(request: IncomingMessage, response: ServerResponse, path: string): Promise<void>;
  /** Rejects when the web app was not built. */
  check(): Promise<void>;
}

interface Found {
  readonly file: string;
  readonly size: number;
  readonly etag: string;
  readonly gzip: boolean;
}

/** Serves a folder that a build may replace while the server runs: nothing is remembered between requests. */
export function createStaticFiles(root: string): StaticFiles {
  const page = join(root, 'index.html');

  return {
    async serve(request, response, path) {
      const file = safePath(root, path);
      const acceptsGzip = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
      const exact = file === undefined || file === root ? undefined : await find(file, acceptsGzip);
      if (exact) return send(request, response, exact, path.startsWith(hashedPrefix));
      if (path.startsWith(hashedPrefix) || !wantsPage(request)) return sendText(response, 404, 'Not found\n');
      const fallback = await find(page, acceptsGzip);
      if (fallback) return send(request, response, fallback, false);
      return sendText(response, 503, `${notBuilt.message}. ${notBuilt.hint ?? ''}\n`);
    },
    async check() {
      await access(page).catch(() => {
        throw notBuilt;
      });
    },
  };
}

const notBuilt = new TidemarkError('CONSOLE_NOT_BUILT', 'the console is not built', {
  hint: 'Run: npm run build -w @tidemark/console',
});

/** The file that a URL path names, or undefined when it names nothing that may be served. */
function safePath(root: string, path: string): string | undefined {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return undefined;
  }
  const hidden = decoded.split('/').some(part => part.startsWith('.'));
  if (hidden || decoded.includes('\0') || decoded.includes('\\')) return undefined;
  const file = normalize(join(root, decoded));
  return file.startsWith(root + sep) ? file : undefined;
}

function wantsPage(request: IncomingMessage): boolean {
  const accept = request.headers.accept ?? '*/*';
  return accept.includes('text/html') || accept.includes('*/*');
}

async function find(file: string, acceptsGzip: boolean): Promise<Found | undefined> {
  if (acceptsGzip) {
    const zipped = await regularFile(`${file}.gz`);
    if (zipped) return { ...zipped, gzip: true };
  }
  const plain = await regularFile(file);
  return plain && { ...plain, gzip: false };
}

async function regularFile(file: string): Promise<Omit<Found, 'gzip'> | undefined> {
  const entry = await stat(file).catch(() => undefined);
  if (!entry?.isFile()) return undefined;
  return { file, size: entry.size, etag: `W/"${entry.size.toString(36)}-${entry.mtimeMs.toString(36)}"` };
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  found: Found,
  immutable: boolean,
): Promise<void> {
  const headers: OutgoingHttpHeaders = {
    ...securityHeaders,
    'cache-control': immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    etag: found.etag,
    vary: 'accept-encoding',
  };
  if (request.headers['if-none-match'] === found.etag) {
    response.writeHead(304, headers).end();
    return;
  }
  const extension = extname(found.gzip ? found.file.slice(0, -'.gz'.length) : found.file);
  response.writeHead(200, {
    ...headers,
    'content-type': contentTypes[extension] ?? 'application/octet-stream',
    'content-length': found.size,
    ...(found.gzip ? { 'content-encoding': 'gzip' } : {}),
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  await pipeline(createReadStream(found.file), response);
}

/** A short answer in plain text, with the headers that every answer carries. */
export function sendText(response: ServerResponse, status: number, text: string): void {
  response
    .writeHead(status, {
      ...securityHeaders,
      'cache-control': 'no-store',
      'content-type': 'text/plain; charset=utf-8',
      'content-length': Buffer.byteLength(text),
    })
    .end(text);
}
