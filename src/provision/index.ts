export { guestSetup, type GuestSetupOptions } from './access';
export { certificateHint } from './certificateHint';
export { baseCatalog, type BaseCatalogOptions } from './baseCatalog';
export { commandRequest, consoleRequest, listSessions, type ConsoleOptions, type TerminalSession } from './enter';
export type { RecipePlaces } from './recipes';
export { sessionVariables, type SessionEnvironment, type SessionVariables } from './sessionVariables';
export type { Surroundings } from './surroundings';
