import * as vscode from 'vscode';
import type { HostInfo } from '../../../sandbox/sandbox';

/** What is wrong with a typed number of CPUs; empty is right. */
export function cpuProblem(text: string, { cpuCount }: HostInfo): string | undefined {
  if (text === '' || isWhole(text, 1, cpuCount)) return undefined;
  return Number.isFinite(cpuCount)
    ? vscode.l10n.t('A whole number from 1 to {0}, or nothing.', cpuCount)
    : vscode.l10n.t('A whole number, 1 or more, or nothing.');
}

/** What is wrong with a typed amount of memory; empty is right. */
export function memoryProblem(text: string, { memoryMiB }: HostInfo): string | undefined {
  if (text === '' || isWhole(text, 64, memoryMiB)) return undefined;
  return Number.isFinite(memoryMiB)
    ? vscode.l10n.t('A whole number of MiB from 64 to {0}, or nothing.', memoryMiB)
    : vscode.l10n.t('A whole number of MiB, 64 or more, or nothing.');
}

/** The number of a text that has no problem; undefined for an empty one. */
export function numberOf(text: string): number | undefined {
  return text === '' ? undefined : Number(text);
}

function isWhole(text: string, least: number, most: number): boolean {
  return /^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most;
}
