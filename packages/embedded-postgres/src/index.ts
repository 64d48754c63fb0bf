export { findBinaries, type PostgresBinaries } from './binaries.ts';
export { baseSettings, type ClusterOptions, type LaunchSpec, prepareCluster } from './cluster.ts';
export { freePort, isFree } from './free-port.ts';
export {
  embeddedUser,
  type PostgresServer,
  type PostgresServerOptions,
  startPostgresServer,
} from './server.ts';
export { removeDataDir, type UnprivilegedUser } from './unprivileged.ts';
