export { SshIntegration, type SshIntegrationOptions } from './integration';
export { acceptedNames, canStandInConfig, type SentEnvironment } from './sentEnvironment';
export { aliasOf, type HostEntry } from './hostEntries';
export type { IncludePlan, RemovalPlan, UserConfigChange } from './includePlan';
export type { KeyPair } from './keys';
export type { TunnelTarget } from './ownFiles';
