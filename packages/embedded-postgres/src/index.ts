export { findBinaries, type PostgresBinaries } from './binaries.ts';
export { baseSettings, type ClusterOptions, type LaunchSpec, prepareCluster } from './cluster.ts';
export {
  embeddedUser,
  freePort,
  type PostgresServer,
  type PostgresServerOptions,
  startPostgresServer,
} from './server.ts';
export { removeDataDir, type UnprivilegedUser } from './unprivileged.ts';
