import * as vscode from 'vscode';
import type { Wish } from '../../../app/order';
import type { HostInfo } from '../../../sandbox/sandbox';
import { askText, type Answer, type Position } from '../../input';
import { cpuProblem, memoryProblem } from './numbers';

export interface LimitQuestion {
  readonly title: string;
  readonly position: Position;
  readonly info: HostInfo;
  readonly source: Wish | undefined;
  readonly value: string;
}

/** Asks how many CPUs it may use. Says, in passing, why there is no question about memory, where there is none. */
export function askCpu({ title, position, info, source, value }: LimitQuestion): Promise<Answer<string>> {
  const { cpuCount, lacks } = info;
  const prompt = vscode.l10n.t('CPUs it may use. {0}', whenEmpty(source, cpuCount, String(cpuCount)));
  return askText({
    title,
    position,
    value,
    prompt: lacks.memoryLimit === undefined ? prompt : `${prompt} ${lacks.memoryLimit}`,
    placeholder: range(1, cpuCount),
    problem: (text) => cpuProblem(text, info),
  });
}

/** Asks how much memory it may use, in MiB. */
export function askMemory({ title, position, info, source, value }: LimitQuestion): Promise<Answer<string>> {
  const { memoryMiB } = info;
  return askText({
    title,
    position,
    value,
    prompt: vscode.l10n.t('Memory in MiB. {0}', whenEmpty(source, memoryMiB, `${memoryMiB} MiB`)),
    placeholder: range(64, memoryMiB),
    problem: (text) => memoryProblem(text, info),
  });
}

/** What an API key that may not ask for the hardware leaves unknown is infinite. */
function range(least: number, most: number): string {
  return Number.isFinite(most) ? vscode.l10n.t('{0} to {1}', least, most) : vscode.l10n.t('{0} or more', least);
}

function whenEmpty(source: Wish | undefined, most: number, all: string): string {
  if (source?.from !== undefined) return vscode.l10n.t('Leave it empty for as many as {0} has.', source.from.name);
  return Number.isFinite(most)
    ? vscode.l10n.t("Leave it empty for all of the server's {0}.", all)
    : vscode.l10n.t('Leave it empty for all that the server has.');
}
