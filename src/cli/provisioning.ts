import type { Pixels } from '../app/pixels';
import { certificateHint } from '../provision/certificateHint';
import { PixelsError } from '../sandbox/errors';
import type { SandboxName } from '../sandbox/name';
import {
  currentStep,
  failedStep,
  readProvisionRecord,
  type ProvisionProgress,
  type ProvisionRecord,
} from '../sandbox/provisioning';
import type { Sandbox } from '../sandbox/sandbox';
import type { Cli } from './cli';

/** A sandbox's recipe: what is kept about it and, where that leaves it open, what the sandbox itself says. */
export interface Provisioning {
  readonly record: ProvisionRecord;
  readonly progress: ProvisionProgress | undefined;
}

/** How far the recipe of a sandbox is; undefined where it has none. Asks inside only when that may say something new. */
export async function provisioningOf(
  pixels: Pixels,
  { name, state, status }: Sandbox,
  signal: AbortSignal | undefined,
): Promise<Provisioning | undefined> {
  const record = readProvisionRecord(state.provision);
  if (record === undefined) return undefined;
  if (record.outcome === 'done' || status !== 'running') return { record, progress: undefined };
  const progress = await pixels.lifecycle.provisioner.look(name, signal);
  return progress === undefined ? undefined : { record, progress };
}

/**
 * Waits until a sandbox's recipe has been carried out, and says each step.
 * @throws PixelsError `failed` that names the step and shows its last lines.
 */
export async function waitForProvisioning(cli: Cli, pixels: Pixels, name: SandboxName): Promise<void> {
  const { state } = await pixels.host.get(name, cli.run.signal);
  const record = readProvisionRecord(state.provision);
  if (record === undefined || record.outcome === 'done') return;
  const tell = (progress: ProvisionProgress): void => cli.run.onProgress?.({ message: words(progress) });
  const progress = await pixels.lifecycle.provisioner.follow(name, tell, cli.run.signal);
  if (progress === undefined || progress.outcome === 'done') return;
  if (progress.outcome === 'failed') throw provisioningError(name, progress);
  throw new PixelsError('wrong-state', `${name} was stopped while its recipe was being carried out.`, {
    hint: `It goes on when you start it: pixels start ${name}`,
  });
}

/** `installing Codex, 5 of 6`. */
export function words(progress: ProvisionProgress): string {
  const step = currentStep(progress);
  if (progress.outcome === 'done') return 'done';
  if (progress.outcome === 'failed') return `failed: ${failedStep(progress)?.title ?? 'it was ended'}`;
  if (step === undefined) return 'waiting to begin';
  const again = step.retries === 0 ? '' : `, try ${step.retries + 1}`;
  return `installing ${step.title}, ${step.number} of ${progress.stepCount}${again}`;
}

/** What `--json` shows of it. Keys that do not apply are null. */
export function provisioningJson(provisioning: Provisioning | undefined): object | null {
  if (provisioning === undefined) return null;
  const { record, progress } = provisioning;
  const outcome = progress?.outcome ?? record.outcome;
  const step = progress && (currentStep(progress) ?? failedStep(progress));
  return {
    recipe: record.recipe,
    state: outcome === 'waiting' ? 'running' : outcome,
    steps: progress?.stepCount ?? null,
    step: step ? { id: step.id, title: step.title, number: step.number, lines: step.lastLines } : null,
  };
}

function provisioningError(name: SandboxName, progress: ProvisionProgress): PixelsError {
  const step = failedStep(progress);
  const what = step === undefined ? 'Its recipe was not carried out' : `Installing ${step.title} failed`;
  const printed = step?.lastLines ?? [];
  const lines = printed.map((line) => `  ${line}`).join('\n');
  const reason = certificateHint(printed.join('\n'));
  const again = `"pixels provision ${name}" tries again, "pixels provision ${name} --log" shows everything.`;
  return new PixelsError('failed', `${name} can be used, but is not complete. ${what}.${lines && `\n${lines}`}`, {
    hint: reason === undefined ? again : `${reason} ${again}`,
  });
}
