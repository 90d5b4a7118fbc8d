import path from 'node:path';
import * as vscode from 'vscode';
import {
  currentStep,
  failedStep,
  readProvisionRecord,
  type ProvisionProgress,
  type ProvisionRecord,
  type StepProgress,
} from '../sandbox/provisioning';
import type { Sandbox } from '../sandbox/sandbox';

/** A sandbox's recipe as a person sees it: what is kept about it, and what the sandbox says where that leaves it open. */
export interface RecipeState {
  /** `interrupted`: the sandbox does not run; it goes on when it is started. */
  readonly outcome: 'installing' | 'interrupted' | 'done' | 'failed';
  /** `agent`, also where the recipe is a file somewhere else. */
  readonly name: string;
  /** The step that is being done, or failed; undefined before the sandbox has said so. */
  readonly step: StepProgress | undefined;
  /** 0 before the sandbox has said it. */
  readonly stepCount: number;
  /** The title of the step that failed. */
  readonly failed: string | undefined;
}

/** Undefined where no recipe was put in. */
export function recipeState(sandbox: Sandbox, progress: ProvisionProgress | undefined): RecipeState | undefined {
  const record = readProvisionRecord(sandbox.state.provision);
  if (record === undefined) return undefined;
  const name = path.basename(record.recipe, '.toml');
  const outcome = outcomeOf(record, progress, sandbox.status === 'running');
  const said =
    progress !== undefined && (progress.outcome === outcome || outcome === 'installing') ? progress : undefined;
  const step = said && (outcome === 'failed' ? failedStep(said) : currentStep(said));
  const failed = outcome === 'failed' ? (step?.title ?? record.failed) : undefined;
  return { outcome, name, step, stepCount: said?.stepCount ?? 0, failed };
}

function outcomeOf(
  record: ProvisionRecord,
  progress: ProvisionProgress | undefined,
  isRunning: boolean,
): RecipeState['outcome'] {
  if (record.outcome !== 'running') return record.outcome;
  if (progress?.outcome === 'done' || progress?.outcome === 'failed') return progress.outcome;
  return isRunning ? 'installing' : 'interrupted';
}

/** "installing Codex, 5 of 6, second try"; "installing agent" before a step has begun. */
export function installingWords({ name, step, stepCount }: RecipeState): string {
  return step === undefined ? vscode.l10n.t('installing {0}', name) : stepWords(step, stepCount);
}

/** What a sandbox that is asked says it does. */
export function progressWords(progress: ProvisionProgress): string {
  const step = currentStep(progress);
  return step === undefined ? vscode.l10n.t('waiting to begin') : stepWords(step, progress.stepCount);
}

function stepWords({ title, number, retries }: StepProgress, stepCount: number): string {
  const words = vscode.l10n.t('installing {0}, {1} of {2}', title, number, stepCount);
  return retries === 0 ? words : `${words}, ${tryWords(retries)}`;
}

/** "Claude Code failed". */
export function failureWords({ name, failed }: RecipeState): string {
  return failed === undefined ? vscode.l10n.t('recipe {0} failed', name) : vscode.l10n.t('{0} failed', failed);
}

/** "second try", for a step that failed once. */
export function tryWords(retries: number): string {
  if (retries === 1) return vscode.l10n.t('second try');
  return retries === 2 ? vscode.l10n.t('third try') : vscode.l10n.t('try {0}', retries + 1);
}
