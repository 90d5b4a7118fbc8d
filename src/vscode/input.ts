import * as vscode from 'vscode';
import { DisposableStore } from './disposableStore';

/** Where in a sequence of questions this one stands. */
export interface Position {
  readonly step: number;
  readonly totalSteps: number;
}

/** A person's answer, or what they did instead. */
export type Answer<T> =
  { readonly kind: 'answer'; readonly value: T } | { readonly kind: 'back' } | { readonly kind: 'dismissed' };

/** One question. It keeps its answer itself (in a draft that the questions share). */
export type Step = (position: Position) => Promise<Answer<unknown>>;

/** Asks one after the other; Back goes to the one before. Resolves to false when a person dismissed it. */
export async function askAll(steps: readonly Step[]): Promise<boolean> {
  let index = 0;
  for (;;) {
    const step = steps[index];
    if (step === undefined) return true;
    const { kind } = await step({ step: index + 1, totalSteps: steps.length });
    if (kind === 'dismissed') return false;
    index = Math.max(0, kind === 'back' ? index - 1 : index + 1);
  }
}

export interface TextQuestion {
  readonly title: string;
  readonly prompt: string;
  readonly value?: string | undefined;
  readonly placeholder?: string | undefined;
  readonly position?: Position | undefined;
  /** Shows dots instead of what is typed. */
  readonly password?: boolean | undefined;
  /** What is wrong with a text, in one sentence; undefined when it is right. */
  readonly problem: (text: string) => string | undefined;
}

/** Asks for a text. What is wrong with it is said while it is typed, and it cannot be accepted meanwhile. */
export function askText(question: TextQuestion): Promise<Answer<string>> {
  const box = vscode.window.createInputBox();
  box.prompt = question.prompt;
  box.password = question.password === true;
  box.value = question.value ?? '';
  box.placeholder = question.placeholder;
  box.ignoreFocusOut = true; // what was typed would be lost
  const check = () => (box.validationMessage = question.problem(box.value.trim()));
  return ask(box, question, (listeners, answer) => {
    listeners.add(box.onDidChangeValue(check));
    listeners.add(
      box.onDidAccept(() => {
        if (check() === undefined) answer(box.value.trim());
      }),
    );
  });
}

export interface Choice<T> extends vscode.QuickPickItem {
  readonly value?: T;
}

export interface ChoiceQuestion<T> {
  readonly title: string;
  readonly placeholder: string;
  readonly position?: Position | undefined;
  /** Shown when they come; until then the box is open and busy. */
  readonly choices: Promise<readonly Choice<T>[]>;
}

/** Asks for one of a list. @throws what `choices` rejects with. */
export function askChoice<T>(question: ChoiceQuestion<T>): Promise<Answer<T>> {
  const box = vscode.window.createQuickPick<Choice<T>>();
  box.placeholder = question.placeholder;
  box.matchOnDescription = true;
  box.busy = true;
  return ask(box, question, (listeners, answer, fail) => {
    question.choices.then((choices) => {
      box.items = choices;
      box.busy = false;
    }, fail);
    listeners.add(
      box.onDidAccept(() => {
        const [chosen] = box.selectedItems;
        if (chosen?.value !== undefined) answer(chosen.value);
      }),
    );
  });
}

type Box = vscode.InputBox | vscode.QuickPick<vscode.QuickPickItem>;

function ask<T>(
  box: Box,
  { title, position }: { title: string; position?: Position | undefined },
  listen: (listeners: DisposableStore, answer: (value: T) => void, fail: (error: unknown) => void) => void,
): Promise<Answer<T>> {
  const listeners = new DisposableStore();
  listeners.add(box);
  box.title = title;
  if (position !== undefined && position.totalSteps > 1) {
    box.ignoreFocusOut = true; // and so would the answers before
    box.step = position.step;
    box.totalSteps = position.totalSteps;
    box.buttons = position.step > 1 ? [vscode.QuickInputButtons.Back] : [];
  }
  return new Promise<Answer<T>>((resolve, reject) => {
    listen(listeners, (value) => resolve({ kind: 'answer', value }), reject);
    listeners.add(
      box.onDidTriggerButton((button) => {
        if (button === vscode.QuickInputButtons.Back) resolve({ kind: 'back' });
      }),
    );
    listeners.add(box.onDidHide(() => resolve({ kind: 'dismissed' })));
    box.show();
  }).finally(() => listeners.dispose());
}
