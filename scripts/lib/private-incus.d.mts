export interface PrivateIncus {
  readonly name: string;
  readonly base: string;
  /** Its INCUS_DIR. */
  readonly directory: string;
  readonly socket: string;
  readonly logFile: string;
  readonly clientCertificate: string;
  readonly clientKey: string;
  readonly serverCertificate: string;
  readonly pid: number | null;
  start(): Promise<void>;
  kill(): Promise<void>;
  restart(options?: { hard?: boolean }): Promise<void>;
  stop(): Promise<void>;
  https(): Promise<string>;
}

/** `base` is what the environment variable PIXELS_TEST_DAEMON holds. */
export function privateIncus(base: string): PrivateIncus;
export function startPrivateIncus(name?: string): Promise<PrivateIncus & { readonly reused: boolean }>;
export function erasePrivateIncus(name?: string): Promise<void>;
