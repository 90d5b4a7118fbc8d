/**
 * What Pixels keeps with a sandbox (state key `provision`) about the recipe that is put into it. How far it is stands inside
 * the sandbox, where the work is done; this says whether it is worth asking there.
 */
export interface ProvisionRecord {
  /** The recipe's id: `agent`. */
  readonly recipe: string;
  /** Of all that the recipe does: another recipe, or another version of it, has another one. */
  readonly hash: string;
  /** `running` until somebody has seen how it ended. */
  readonly outcome: 'running' | 'done' | 'failed';
  /** The title of the step that failed, for a row that asks nothing inside. */
  readonly failed?: string | undefined;
}

/** How far a sandbox's recipe is, as it says itself. */
export interface ProvisionProgress {
  readonly outcome: 'waiting' | 'running' | 'done' | 'failed';
  readonly stepCount: number;
  /** In the order of the recipe; those that have not begun are missing. */
  readonly steps: readonly StepProgress[];
}

export interface StepProgress {
  readonly id: string;
  readonly title: string;
  /** 1 for the first. */
  readonly number: number;
  /** `omitted`: it failed and is not important; `blocked`: what it needs has failed. */
  readonly outcome: 'running' | 'done' | 'skipped' | 'omitted' | 'failed' | 'blocked';
  /** Where it comes from: "the npm registry". */
  readonly source?: string | undefined;
  /** It failed so often already, and is tried again. */
  readonly retries: number;
  /** The last lines of what a failed step printed. */
  readonly lastLines: readonly string[];
}

/** The step that is being done now. */
export function currentStep({ steps }: ProvisionProgress): StepProgress | undefined {
  return steps.find(({ outcome }) => outcome === 'running');
}

/** The first step that failed by itself, not for want of another. */
export function failedStep({ steps }: ProvisionProgress): StepProgress | undefined {
  return steps.find(({ outcome }) => outcome === 'failed');
}

/** The record in a sandbox's state, or undefined where there is none, or none that this version can read. */
export function readProvisionRecord(text: string | undefined): ProvisionRecord | undefined {
  if (text === undefined) return undefined;
  try {
    const { recipe, hash, outcome, failed } = JSON.parse(text) as Partial<Record<keyof ProvisionRecord, unknown>>;
    const known = (['running', 'done', 'failed'] as const).find((each) => each === outcome);
    if (typeof recipe !== 'string' || typeof hash !== 'string' || known === undefined) return undefined;
    return { recipe, hash, outcome: known, ...(typeof failed === 'string' ? { failed } : {}) };
  } catch {
    return undefined;
  }
}

/** The record as it is written into a sandbox's state. */
export function writeProvisionRecord({ recipe, hash, outcome, failed }: ProvisionRecord): string {
  return JSON.stringify({ recipe, hash, outcome, failed });
}

/** The record with its outcome open again: what is known about a sandbox may not hold for a copy, or after a restore. */
export function reopened(text: string): string {
  const record = readProvisionRecord(text);
  return record === undefined ? text : writeProvisionRecord({ ...record, outcome: 'running', failed: undefined });
}
