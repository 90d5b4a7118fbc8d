/** What the server does wrong on request. All of it is off at first, and can be switched at any time. */
export interface Misbehaviour {
  /** A connection without traffic for so long is cut: 60,000 is nginx's default on 25.x. 0 never cuts. */
  idleCutMs: number;
  /** This is the passive controller of a pair: a login is answered by REDIRECT to this URL. */
  standby: string | null;
  /**
   * A job's answer is held back until the job has ended, at most 500 ms. Without this only its first event (`added`) comes before the answer,
   * as with the real one (MW:job.py `JobsQueue.add`).
   */
  eventBeforeAnswer: boolean;
  /** The events that say SUCCESS come again 20 ms later. The real one sends two anyway, but for jobs that reach 100 percent themselves. */
  duplicateSuccess: boolean;
  /** No job event is sent; only `core.get_jobs` knows. */
  lostJobEvents: boolean;
  /** An instance's addresses stay hidden for so long after its start. */
  slowDhcpMs: number;
  /** The next job of that method fails: before it does anything, in the middle, or after it has done everything. */
  failStep: { method: string; at: 'before' | 'middle' | 'after'; message?: string } | null;
  /** As 26.0.0-RC.1 and later: snapshots below `.truenas_containers` are refused with EACCES. */
  protectedPaths: boolean;
  /** Unauthenticated methods may be called 20 times in 60 s, as on the real one. Off, since suites log in more often than that. */
  rateLimit: boolean;
  /** How long an answer "Rate Limit Exceeded" takes; the real one sleeps for 1 to 10 s. */
  rateLimitDelayMs: number;
  /** Calls of these methods are never answered; those of a job are answered by an id whose job never ends. */
  hangMethods: readonly string[];
  /** Calls of these methods are answered only after so many milliseconds. */
  slowMethods: Readonly<Record<string, number>>;
  /** The next answers (logins not among them) are damaged in this way. */
  garbageAnswers: { kind: GarbageKind; count: number } | null;
  /** The connection is cut as soon as a call of this method has arrived, before (`'before'`) or after it was done. Used once. */
  cutAt: { method: string; at: 'before' | 'after' } | null;
  /** How long after its process has ended a shell's socket is closed; up to 2 s on the real one. */
  shellCloseDelayMs: number;
  /** The client's address is not on the allowlist of the web interface: its connections are closed with 1008. */
  deniedAddress: boolean;
  /** How the NAS is connected to its network. */
  network: 'dhcp' | 'static' | 'bridge' | 'no-route';
  /** What `virt.global.config` says; other than INITIALIZED, the instances are not to be had. */
  virtState: 'INITIALIZED' | 'INITIALIZING' | 'NO_POOL' | 'ERROR' | 'LOCKED';
  /** `system.version` instead of the profile's own. */
  version: string | null;
}

export type GarbageKind = 'wrong-types' | 'missing-fields' | 'huge-numbers' | 'broken-json' | 'binary';

export function wellBehaved(): Misbehaviour {
  return {
    idleCutMs: 0,
    standby: null,
    eventBeforeAnswer: false,
    duplicateSuccess: false,
    lostJobEvents: false,
    slowDhcpMs: 0,
    failStep: null,
    protectedPaths: false,
    rateLimit: false,
    rateLimitDelayMs: 1000,
    hangMethods: [],
    slowMethods: {},
    garbageAnswers: null,
    cutAt: null,
    shellCloseDelayMs: 300,
    deniedAddress: false,
    network: 'dhcp',
    virtState: 'INITIALIZED',
    version: null,
  };
}
