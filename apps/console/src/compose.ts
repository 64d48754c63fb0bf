import { loadConfig } from '@tidemark/config';
import { lifecycle, type Service } from '@tidemark/kernel';
import { createLogger, createMetrics, createOps, type Logger } from '@tidemark/observability';
import { distFolder } from './build.ts';
import { consoleConfig } from './config.ts';
import { createApiProxy } from './server/api-proxy.ts';
import { createConsoleServer } from './server/console-server.ts';
import { createStaticFiles } from './server/static-files.ts';

/** Replacements for tests. */
export interface ComposeOptions {
  /** Folder with the built web app; `apps/console/dist` unless given. */
  readonly dist?: string;
  readonly logger?: Logger;
}

/** The console's server. `port` is the one in use once it started. */
export interface ConsoleService extends Service {
  readonly port: number;
}

/** Wires the console from its environment. */
export function compose(
  env: Readonly<Record<string, string | undefined>>,
  options: ComposeOptions = {},
): ConsoleService {
  const config = loadConfig(consoleConfig, env);
  const logger = options.logger ?? createLogger({ service: 'console', level: config.LOG_LEVEL });
  const metrics = createMetrics();
  const files = createStaticFiles(options.dist ?? distFolder);
  const api = createApiProxy(new URL(config.API_URL), {
    onUnreachable: reason => logger.warn({ apiUrl: config.API_URL, reason }, 'the api does not answer'),
    onReachable: () => logger.info({ apiUrl: config.API_URL }, 'the api answers'),
  });
  const ops = createOps({
    metrics,
    checks: { api: signal => api.check(signal), webApp: () => files.check() },
  });
  const server = createConsoleServer({ address: config.CONSOLE_ADDR, api, files, metrics, ops });

  return {
    ...lifecycle('console', {
      async start() {
        await server.start();
        logger.info({ address: config.CONSOLE_ADDR.host, port: server.port }, 'console is listening');
      },
      async stop() {
        await server.stop();
        api.close();
        logger.info('console stopped');
      },
    }),
    get port() {
      return server.port;
    },
  };
}
