import * as vscode from 'vscode';
import { isReservedName, isVariableName } from '../../sandbox/environment';
import type { Face } from '../face';
import { askChoice, askText } from '../input';
import { keepSandboxSecret, sandboxSecrets } from '../sandboxSecrets';

/**
 * Keeps a value among the editor's secrets, which sessions in sandboxes get as an environment variable; lists those that are
 * kept, by name, to be replaced or removed.
 */
export async function setSecret(face: Face): Promise<void> {
  const title = vscode.l10n.t('Set Secret for Sandboxes');
  const names = Object.keys(await sandboxSecrets(face.secrets)).sort();
  const kept = names.length === 0 ? NEW : await chooseKept(title, names);
  if (kept === undefined) return;
  if (kept === NEW) {
    const name = await askName(title, names);
    if (name !== undefined) await askAndKeep(face, title, name);
    return;
  }
  const remove = await askRemoval(title, kept);
  if (remove === false) await askAndKeep(face, title, kept);
  else if (remove) {
    await keepSandboxSecret(face.secrets, kept, undefined);
    const text = vscode.l10n.t('{0} is forgotten. What runs in a sandbox already keeps it until it ends.', kept);
    void vscode.window.showInformationMessage(text);
  }
}

/** No name of a variable is empty. */
const NEW = '';

async function chooseKept(title: string, names: readonly string[]): Promise<string | undefined> {
  const add = { label: vscode.l10n.t('New Secret…'), iconPath: new vscode.ThemeIcon('add'), value: NEW };
  const kept = names.map((name) => ({ label: name, iconPath: new vscode.ThemeIcon('key'), value: name }));
  const placeholder = vscode.l10n.t('Which secret?');
  const answer = await askChoice<string>({ title, placeholder, choices: Promise.resolve([add, ...kept]) });
  return answer.kind === 'answer' ? answer.value : undefined;
}

async function askRemoval(title: string, name: string): Promise<boolean | undefined> {
  const choices = [
    { label: vscode.l10n.t('Replace Value…'), iconPath: new vscode.ThemeIcon('edit'), value: false },
    { label: vscode.l10n.t('Remove'), iconPath: new vscode.ThemeIcon('trash'), value: true },
  ];
  const answer = await askChoice<boolean>({ title, placeholder: name, choices: Promise.resolve(choices) });
  return answer.kind === 'answer' ? answer.value : undefined;
}

async function askName(title: string, taken: readonly string[]): Promise<string | undefined> {
  const answer = await askText({
    title,
    prompt: vscode.l10n.t('Name of the environment variable'),
    placeholder: vscode.l10n.t('for example: ANTHROPIC_API_KEY'),
    problem: (name) => nameProblem(name, taken),
  });
  return answer.kind === 'answer' ? answer.value : undefined;
}

function nameProblem(name: string, taken: readonly string[]): string | undefined {
  if (name === '') return vscode.l10n.t('Name the variable.');
  if (!isVariableName(name))
    return vscode.l10n.t('A name has letters, digits and "_", and does not begin with a digit.');
  if (isReservedName(name)) {
    return vscode.l10n.t(
      '{0} decides what a login is and which programs it runs, so it cannot be set from outside.',
      name,
    );
  }
  return taken.includes(name) ? vscode.l10n.t('{0} is kept already.', name) : undefined;
}

async function askAndKeep({ secrets }: Face, title: string, name: string): Promise<void> {
  const answer = await askText({
    title,
    prompt: vscode.l10n.t('Value of {0}', name),
    password: true,
    problem: (value) => (value === '' ? vscode.l10n.t('There is no value yet.') : undefined),
  });
  if (answer.kind !== 'answer') return;
  await keepSandboxSecret(secrets, name, answer.value);
  const text = vscode.l10n.t('{0} is kept. Consoles, commands and windows that are opened from now on get it.', name);
  void vscode.window.showInformationMessage(text);
}
