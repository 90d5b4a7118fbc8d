import * as vscode from 'vscode';
import type { Pixels } from '../../app/pixels';
import { certificateHint } from '../../provision/certificateHint';
import { readBaseRecord, READY, type BaseName } from '../../sandbox/base';
import { isSafetyLabel } from '../../sandbox/name';
import { failedStep, type StepProgress } from '../../sandbox/provisioning';
import type { Checkpoint, Lacks, Sandbox } from '../../sandbox/sandbox';
import { modeWords } from '../egressView';
import { failureWords, installingWords, recipeState, tryWords, type RecipeState } from '../recipeState';
import { age, moment, size } from './format';
import { statusWords } from './status';

/** Everything about a sandbox, as a table. Made only when a person points at the row. */
export async function sandboxTooltip(
  pixels: Pixels,
  sandbox: Sandbox,
  recipe: RecipeState | undefined,
): Promise<vscode.MarkdownString> {
  const { alias, user } = pixels.sshOf(sandbox);
  const checkpoints = await pixels.inventory.checkpoints(sandbox.name).catch(() => []);
  const rows: [string, string][] = [
    [vscode.l10n.t('Status'), statusWords(sandbox)],
    [
      vscode.l10n.t('Address'),
      sandbox.isBehindGateway ? vscode.l10n.t('none, behind a gateway') : sandbox.addresses.join(', '),
    ],
    [vscode.l10n.t('CPUs'), sandbox.cpu === undefined ? vscode.l10n.t('no limit') : String(sandbox.cpu)],
    [vscode.l10n.t('Memory'), sandbox.memoryMiB === undefined ? vscode.l10n.t('no limit') : memory(sandbox.memoryMiB)],
    [vscode.l10n.t('Image'), sandbox.image ?? ''],
    [vscode.l10n.t('Created'), `${moment(sandbox.createdAt)} (${age(sandbox.createdAt)})`],
    [
      vscode.l10n.t('Login'),
      sandbox.state.sshUser === undefined ? vscode.l10n.t('not set up') : `\`ssh ${alias}\` (${user})`,
    ],
    [vscode.l10n.t('Recipe'), recipe === undefined ? '' : escapeMarkdown(recipeWords(recipe))],
    [vscode.l10n.t('Egress'), await modeWords(pixels, sandbox.state.egress)],
    [vscode.l10n.t('Checkpoints'), checkpointNames(checkpoints)],
  ];
  return table(sandbox.name, rows, Object.values(pixels.inventory.lacks));
}

/**
 * The steps of a recipe, how each ended, and the last lines of those that failed, as plain text: it comes out of the sandbox. A
 * sandbox that runs is asked, which also corrects what is kept about it.
 */
export async function recipeTooltip({ lifecycle }: Pixels, sandbox: Sandbox): Promise<string> {
  const asked = sandbox.status === 'running' ? lifecycle.provisioner.look(sandbox.name) : undefined;
  const progress = await asked?.catch(() => undefined);
  const recipe = recipeState(sandbox, progress);
  const title = recipe === undefined ? '' : vscode.l10n.t('Recipe {0}', recipeWords(recipe));
  const hint = certificateHint((progress && failedStep(progress)?.lastLines.join('\n')) ?? '');
  return [title, ...(progress?.steps ?? []).flatMap(stepLines), ...(hint === undefined ? [] : ['', hint])].join('\n');
}

const SIGNS = { done: '✓', skipped: '✓', running: '…', omitted: '–', failed: '✗', blocked: '–' } as const;

function stepLines({ title, outcome, source, retries, lastLines }: StepProgress): string[] {
  const facts = [
    ...(source && outcome === 'done' ? [vscode.l10n.t('from {0}', source)] : []),
    ...(retries > 0 ? [tryWords(retries)] : []),
    ...(outcome === 'skipped' ? [vscode.l10n.t('was there already')] : []),
    ...(outcome === 'omitted' ? [vscode.l10n.t('left out, because it failed')] : []),
    ...(outcome === 'blocked' ? [vscode.l10n.t('needs a step that failed')] : []),
  ];
  const said = facts.length === 0 ? '' : ` (${facts.join(', ')})`;
  return [`${SIGNS[outcome]} ${title}${said}`, ...lastLines.map((line) => `    ${line}`)];
}

function recipeWords(recipe: RecipeState): string {
  switch (recipe.outcome) {
    case 'installing':
      return `${recipe.name}, ${installingWords(recipe)}`;
    case 'interrupted':
      return vscode.l10n.t('{0}, goes on when the sandbox is started', recipe.name);
    case 'done':
      return vscode.l10n.t('{0}, complete', recipe.name);
    case 'failed':
      return `${recipe.name}, ${failureWords(recipe)}`;
  }
}

/**
 * What a base is, how it stands and what it takes up.
 * @param words how it stands.
 */
export async function baseTooltip(
  { bases, inventory }: Pixels,
  name: BaseName,
  sandbox: Sandbox,
  words: string,
): Promise<vscode.MarkdownString> {
  const definition = await bases.catalog.find(name).catch(() => undefined);
  const checkpoints = await inventory.checkpoints(sandbox.name).catch(() => []);
  const sizeBytes = checkpoints.find(({ label }) => label === READY)?.sizeBytes;
  const record = readBaseRecord(sandbox.state.base);
  const rows: [string, string][] = [
    [vscode.l10n.t('Status'), escapeMarkdown(words)],
    ['', escapeMarkdown(definition?.description ?? vscode.l10n.t('not defined any more'))],
    [vscode.l10n.t('Made from'), escapeMarkdown(definition?.parent ?? definition?.image ?? '')],
    [vscode.l10n.t('Built'), record === undefined ? '' : moment(new Date(record.since))],
    [vscode.l10n.t('Size'), sizeBytes === undefined ? '' : size(sizeBytes)],
  ];
  return table(vscode.l10n.t('Base {0}', name), rows);
}

/** When a checkpoint was taken, what it takes up, and its real label; and why nothing can be done with it, where that is so. */
export function checkpointTooltip(
  { label, createdAt, sizeBytes }: Checkpoint,
  { checkpoints }: Lacks,
): vscode.MarkdownString {
  const rows: [string, string][] = [
    [vscode.l10n.t('Taken'), `${moment(createdAt)} (${age(createdAt)})`],
    [vscode.l10n.t('Size'), sizeBytes === undefined ? '' : size(sizeBytes)],
  ];
  return table(label, rows, checkpoints === undefined ? [] : [checkpoints]);
}

function memory(memoryMiB: number): string {
  return size(memoryMiB * 1024 * 1024);
}

function checkpointNames(checkpoints: readonly Checkpoint[]): string {
  const own = checkpoints.filter(({ label }) => !isSafetyLabel(label)).map(({ label }) => label);
  const newestFirst = own.reverse();
  const shown = newestFirst.slice(0, 5).join(', ');
  return newestFirst.length > 5 ? vscode.l10n.t('{0} and {1} more', shown, newestFirst.length - 5) : shown;
}

/** Bold title, then the rows that have a value, then what else there is to say. */
export function table(
  title: string,
  rows: readonly (readonly [string, string])[],
  below: readonly string[] = [],
): vscode.MarkdownString {
  const said = rows.filter(([, value]) => value !== '');
  const lines = said.map(([name, value]) => `| ${name}&nbsp;&nbsp; | ${escapeCell(value)} |`);
  const sentences = below.flatMap((sentence) => ['', sentence]);
  return new vscode.MarkdownString([`**${title}**`, '', '| | |', '|:--|:--|', ...lines, ...sentences].join('\n'));
}

/** It comes out of a sandbox, and must not become a link or a picture. */
export function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]()#+!~<>&-]/g, '\\$&');
}

/** Images name themselves; a bar or a line break in such a name would break the table. */
function escapeCell(value: string): string {
  return value.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}
