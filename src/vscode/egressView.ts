import * as vscode from 'vscode';
import type { Pixels } from '../app/pixels';
import type { EgressMode, Enforcement } from '../egress';
import { toPixelsError, type PixelsError } from '../sandbox/errors';

/** What a sandbox may reach, as a person sees it. */
export type EgressView =
  | {
      readonly kind: 'policy';
      readonly mode: EgressMode;
      readonly enforcement: Enforcement;
      /** Those of the mode `agent`; none in another one. */
      readonly groups: readonly GroupView[];
      /** The person's own entries, and the exceptions from what is allowed, as a person types them. */
      readonly allow: readonly string[];
      readonly deny: readonly string[];
      /** Allowed as well, until then. */
      readonly timed: readonly TimedView[];
      /** Why there are no groups, where there should be. */
      readonly trouble?: PixelsError;
    }
  | { readonly kind: 'unreadable'; readonly error: PixelsError };

/** What is allowed until then, by a person, or because the set-up of the sandbox needs it. */
export interface TimedView {
  readonly entry: string;
  readonly until: Date;
  readonly forSetUp?: true;
}

export interface GroupView {
  readonly id: string;
  readonly title: string;
  readonly on: boolean;
  readonly entries: readonly string[];
}

/** Reads the policy that is kept with a sandbox; asks no server. Throws nothing. */
export async function egressView({ egress }: Pick<Pixels, 'egress'>, text: string): Promise<EgressView> {
  const { formatEntry, isOn, readPolicy } = await import('../egress');
  try {
    const policy = readPolicy(text);
    const { mode, enforcement } = policy;
    const timed = policy.timed.map((one) => ({ ...one, entry: formatEntry(one.entry) }));
    const lists = { allow: policy.allow.map(formatEntry), deny: policy.deny.map(formatEntry), timed };
    const view = { kind: 'policy', mode, enforcement, groups: [], ...lists } as const;
    if (mode !== 'agent') return view;
    try {
      const preset = await egress.preset();
      const groups = preset.map((group): GroupView => {
        const { id, title, entries } = group;
        return { id, title, on: isOn(policy, group), entries: entries.map(formatEntry) };
      });
      return { ...view, groups };
    } catch (error) {
      return { ...view, trouble: toPixelsError(error) };
    }
  } catch (error) {
    return { kind: 'unreadable', error: toPixelsError(error) };
  }
}

/** The mode of the policy that is kept with a sandbox, in a word or three. Throws nothing. */
export async function modeWords(pixels: Pick<Pixels, 'egress'>, text: string | undefined): Promise<string> {
  if (text === undefined) return 'unrestricted';
  const view = await egressView(pixels, text);
  return view.kind === 'policy' ? view.mode : vscode.l10n.t('cannot be read');
}
