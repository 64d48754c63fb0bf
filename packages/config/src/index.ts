export * as setting from './setting.ts';
export {
  type Config,
  type ConfigSpec,
  defineConfig,
  describeConfig,
  type ListenAddress,
  loadConfig,
  mergeConfig,
  type Setting,
} from './setting.ts';
