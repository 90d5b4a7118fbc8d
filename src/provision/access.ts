import { PixelsError } from '../sandbox/errors';
import { outputOf } from '../sandbox/exec';
import type { GuestSetup } from '../sandbox/guest';
import accessScript from './access.sh';
import type { OwnBase } from './ownBase';
import { recipeSetup } from './recipeSetup';
import { certificateHint } from './certificateHint';
import { lastWords } from './lastWords';
import { needsOf } from './needs';
import { NOTHING_TO_TELL, surroundingsOrder, tellSurroundings, type Surroundings } from './surroundings';
import { seal } from './seal';

export interface GuestSetupOptions {
  /** Login name of the sandbox's user. */
  readonly user: string;
  /** The line for authorized_keys, or nothing for nobody's; asked for only when it is needed. */
  readonly publicKey: () => Promise<string>;
  /** Where the person's own recipes are. */
  readonly recipeDirectory?: string | undefined;
  /** Bases of the person's own, which are recipes too. */
  readonly bases?: Readonly<Record<string, OwnBase>> | undefined;
  /** Address of the npm registry that the person's own npm uses; asked for only when a recipe is put in. */
  readonly npmRegistry?: (() => Promise<string | undefined>) | undefined;
  /** What the sandbox has to know before anything is downloaded in it; asked for each time. */
  readonly surroundings?: (() => Promise<Surroundings>) | undefined;
}

/** access.sh prints this line where an earlier configuration told something, which is then to be taken away. */
const TOLD_BEFORE = 'told before';

/**
 * The minimal way in for Debian and Ubuntu images: tells the sandbox of its surroundings where there is something to tell, installs
 * sshd and sudo where they are missing, makes the user with uid 1000 and puts the key in.
 */
export function guestSetup(options: GuestSetupOptions): GuestSetup {
  const { user, publicKey, recipeDirectory, bases, npmRegistry, surroundings } = options;
  const readOrder = async () => (surroundings === undefined ? undefined : surroundingsOrder(await surroundings()));
  return {
    recipes: recipeSetup({ user, directory: recipeDirectory, bases, npmRegistry }),
    async seal(host, name, run) {
      // What the network demanded may have a password in it; a copy is told again.
      if (surroundings !== undefined) await tellSurroundings(host, name, NOTHING_TO_TELL, run.signal);
      await seal(host, name, run);
    },
    async needs(host, name, wanted, run) {
      const proxy = (await surroundings?.())?.proxy;
      return needsOf(host, name, wanted, { directory: recipeDirectory, bases, npmRegistry, proxy }, run);
    },
    async prepare() {
      await readOrder();
    },
    async tell(host, name, run) {
      const order = await readOrder();
      if (order !== undefined) await tellSurroundings(host, name, order, run.signal);
    },
    async setUpAccess(host, name, { newHostKey }, run) {
      const order = await readOrder();
      if (order !== undefined) await tellSurroundings(host, name, order, run.signal);
      const command = ['sh', '-c', accessScript, 'pixels', user, await publicKey(), newHostKey ? 'new' : 'keep'];
      const request = { command, env: order?.environment };
      const { exitCode, stdout, stderr } = await outputOf(host, name, request, run.signal);
      const lines = stdout.trim().split('\n');
      const hostKey = lines.at(-1) ?? '';
      if (exitCode === 0 && /^ssh-ed25519 [A-Za-z0-9+/=]+$/.test(hostKey)) {
        if (order === undefined && lines.includes(TOLD_BEFORE)) {
          await tellSurroundings(host, name, NOTHING_TO_TELL, run.signal);
        }
        return { hostKey, sshUser: user };
      }
      const hint = certificateHint(stderr);
      throw new PixelsError('failed', `Inside ${name}: ${lastWords(stderr, exitCode)}.`, {
        ...(hint === undefined ? {} : { hint }),
        cause: new Error(`access.sh ended with ${exitCode}: ${stderr}${stdout}`),
      });
    },
  };
}
