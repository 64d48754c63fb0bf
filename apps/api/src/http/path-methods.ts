import type { Api } from './api.ts';

/** Remembers which methods each path has, because the router tells an unknown method and an unknown path alike. */
export function methodsByPath(api: Api): (path: string) => readonly string[] {
  const routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];
  api.addHook('onRoute', ({ url, method }) => {
    // A catch-all takes whatever nobody else takes, such as the preflight requests of CORS.
    if (url !== '*') routes.push({ pattern: patternOf(url), methods: [method].flat() });
  });
  return path => {
    const methods = routes.filter(route => route.pattern.test(path)).flatMap(route => route.methods);
    return [...new Set(methods)].sort();
  };
}

function patternOf(url: string): RegExp {
  const steps = url.split('/').map(step => {
    if (step.startsWith(':')) return '[^/]+';
    return step === '*' ? '.*' : step.replaceAll(/[^\w-]/g, String.raw`\$&`);
  });
  return new RegExp(`^${steps.join('/')}$`);
}
