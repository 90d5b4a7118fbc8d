import * as vscode from 'vscode';
import type { Config } from '../config';
import { toPixelsError } from '../sandbox/errors';
import { askPin } from './commands/connect/askTrust';
import { showError, type ErrorButton } from './errorMessage';
import type { Face } from './face';
import { saveSettings } from './settings';

/**
 * Says that nobody checks the certificate of the TrueNAS in use, where `truenas.insecure_skip_verify` has it so, and offers
 * to pin it: once in this session for each server, whatever a person does with that.
 */
export class PinOffer {
  private readonly made = new Set<string>();

  constructor(private readonly face: Pick<Face, 'log' | 'current'>) {}

  /** Makes the offer for what this configuration leads to, if there is anything to offer. Throws nothing. */
  async make(config: Config): Promise<void> {
    const place = await uncheckedPlace(config);
    if (place === undefined || this.made.has(place)) return;
    this.made.add(place);
    const warning = vscode.l10n.t(
      'Nobody checks the certificate of {0} (truenas.insecure_skip_verify): whoever is in between can read the API key.',
      place,
    );
    this.face.log.warn(warning);
    const button = this.button(place);
    if ((await vscode.window.showWarningMessage(warning, button.title)) === button.title) await button.run();
  }

  private button(place: string): ErrorButton {
    return { title: vscode.l10n.t('Pin Certificate'), run: () => this.pin(place) };
  }

  private async pin(place: string): Promise<void> {
    try {
      // The offer may be old: by now another server may be in use, or this one may be pinned.
      const { config } = await this.face.current.configuration();
      if ((await uncheckedPlace(config)) !== place) return;
      const answer = await askPin(place);
      if (answer.kind === 'answer') await saveSettings({ 'truenas.fingerprint': answer.value.fingerprint256 });
    } catch (error) {
      void showError(this.face, toPixelsError(error), [this.button(place)]);
    }
  }
}

/** `nas.lan:8443`. */
async function uncheckedPlace(config: Config): Promise<string | undefined> {
  if (!config.truenas.insecureSkipVerify) return undefined;
  const [{ uncheckedTrueNas }, { placeOf }] = await Promise.all([
    import('../app/uncheckedTrueNas'),
    import('../app/trueNas'),
  ]);
  const endpoint = uncheckedTrueNas(config);
  return endpoint === undefined ? undefined : placeOf(endpoint);
}
