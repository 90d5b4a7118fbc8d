export { configPath, loadConfig, type LoadedConfig, type LoadOptions } from './load';
export { watchConfig, type ConfigListener } from './watch';
export {
  incusConnection,
  incusServer,
  readIncusServer,
  type IncusConnectionData,
  type IncusServer,
} from './incusServer';
export { readAuthorities, trueNasServer, type TrueNasServer, type TrueNasTrust } from './trueNasServer';
export type { Config, ConfigOverrides, EnvVariable, OwnBase } from './schema';
