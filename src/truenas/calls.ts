import { setTimeout as delay } from 'node:timers/promises';
import { PixelsError } from '../sandbox/errors';
import type { SharedConnection } from './connection';
import { Errno, RpcCode, TrueNasRefusal } from './errors';
import { CALLS_IN_FLIGHT } from './limits';
import { Slots } from './slots';

/** The queue in front of a connection. */
export class Calls {
  private readonly slots = new Slots(CALLS_IN_FLIGHT);

  constructor(
    private readonly connection: SharedConnection,
    private readonly tooManyPauseMs: number,
  ) {}

  /**
   * One call in its turn. It is sent only while somebody still waits for it, and a second time only where the server did
   * not carry it out. The turn lasts until the answer comes, also when nobody waits for it any more.
   * @param over aborts when nobody waits any more.
   * @throws PixelsError as `SharedConnection.get` and `RpcConnection.request` do.
   * @throws TrueNasRefusal.
   */
  async perform(method: string, params: readonly unknown[], limitMs: number, over: AbortSignal): Promise<unknown> {
    const seen = this.connection.failures;
    await this.connection.get('call', seen);
    const giveBack = await this.slots.take(over);
    try {
      for (let again = true; ; again = false) {
        const rpc = await this.connection.get('call', seen);
        over.throwIfAborted();
        try {
          return await rpc.request(method, params, limitMs);
        } catch (error) {
          if (!again || !(await this.mayTryAgain(error))) throw error;
        }
      }
    } finally {
      giveBack();
    }
  }

  /** For a call that the server refused before it looked at it: there were too many, or the session had ended. */
  private async mayTryAgain(error: unknown): Promise<boolean> {
    if (!(error instanceof TrueNasRefusal)) return false;
    if (error.code === RpcCode.tooManyCalls) {
      await delay(this.tooManyPauseMs);
      return true;
    }
    if (error.errno !== Errno.ENOTAUTHENTICATED) return false;
    this.connection.drop(
      new PixelsError('unreachable', 'TrueNAS has ended the session.', { hint: 'Try again.', cause: error }),
    );
    return true;
  }
}
