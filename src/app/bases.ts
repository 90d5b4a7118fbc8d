import type { Config } from '../config';
import { baseCatalog, guestSetup, type GuestSetupOptions, type Surroundings } from '../provision';
import { Bases } from '../sandbox/bases';
import type { SandboxHost } from '../sandbox/host';

/**
 * The bases of the configured server. Nothing of the person's is put into one: no key, for a start.
 * @param guest how sandboxes are set up, of which bases get what is nobody's own.
 */
export function basesOf(
  host: SandboxHost,
  config: Config,
  guest: Omit<GuestSetupOptions, 'publicKey' | 'surroundings'> & { readonly surroundings: () => Promise<Surroundings> },
): Bases {
  const { defaults, provision, ssh, bases } = config;
  const { pool, network, nicType, parent, image } = defaults;
  return new Bases({
    host,
    guest: guestSetup({
      ...guest,
      publicKey: () => Promise.resolve(''),
      surroundings: async () => withoutPerson(await guest.surroundings()),
    }),
    placement: { pool, network },
    catalog: baseCatalog({
      directory: guest.recipeDirectory,
      bases,
      image,
      recipe: provision.recipe,
      facts: [ssh.user, pool, network, nicType, parent],
    }),
  });
}

/** What the network demands, without the person's own variables. */
function withoutPerson(surroundings: Surroundings): Surroundings {
  return { ...surroundings, environment: {}, acceptedNames: [] };
}
