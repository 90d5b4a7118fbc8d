import type { Run, SandboxHost } from '../sandbox/host';
import type { SandboxName } from '../sandbox/name';
import type { Policy } from './policy';
import type { Refusal } from './refusals';

/** A way to see to it that a sandbox reaches no more than its policy says. */
export interface PolicyEnforcement {
  /**
   * Whether a policy can be enforced there, before anything is done for it.
   * @throws PixelsError `invalid`, `unsupported`, `config`.
   */
  check(host: SandboxHost, policy: Policy, signal?: AbortSignal): Promise<void>;

  /** Puts it where a stopped sandbox is under it from its first moment, as far as the server can do that. */
  place(host: SandboxHost, name: SandboxName, policy: Policy, run: Run): Promise<void>;

  /** Makes it that of a running sandbox. Doing it again changes nothing. @throws PixelsError `failed`. */
  enforce(host: SandboxHost, name: SandboxName, policy: Policy, run: Run): Promise<void>;

  /** Whether a running sandbox may reach exactly what it says. */
  isInForce(host: SandboxHost, name: SandboxName, policy: Policy, signal?: AbortSignal): Promise<boolean>;

  /** What a running sandbox wanted to reach within a day and could not, the latest first. */
  refusals(host: SandboxHost, name: SandboxName, signal?: AbortSignal): Promise<readonly Refusal[]>;
}
