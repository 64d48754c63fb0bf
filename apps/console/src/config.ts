import { defineConfig, setting } from '@tidemark/config';

/** What the console's server is told by its environment. */
export const consoleConfig = defineConfig({
  CONSOLE_ADDR: setting.listenAddress({
    default: { host: '127.0.0.1', port: 3000 },
    doc: 'Address that the web app is served on.',
  }),
  API_URL: setting.url(['http', 'https'], {
    default: 'http://127.0.0.1:3001',
    doc: 'Where requests under `/api` are passed on to.',
  }),
  LOG_LEVEL: setting.choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    default: 'info',
    doc: 'Least severe level that is logged.',
  }),
});
