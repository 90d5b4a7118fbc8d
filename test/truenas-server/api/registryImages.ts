import type { Nas } from '../nas';

/** An image as TrueNAS' own registry names it, and the alias that the daemon has it under. */
export interface RegistryImage {
  /** `debian:bookworm:amd64:default` */
  readonly name: string;
  /** `20261123` */
  readonly version: string;
  readonly alias: string;
}

interface Image {
  readonly aliases: readonly { readonly name: string }[];
  readonly properties: Readonly<Record<string, string>>;
  readonly created_at: string;
}

/** The daemon's own images in 26's way of naming them. `debian/12` is the default variant, `pixels-test/bare` the variant `bare`. */
export async function registryImages({ instances }: Nas): Promise<RegistryImage[]> {
  const images = (await instances.incus.call('GET', '/1.0/images?recursion=1')) as Image[];
  return images.flatMap(({ aliases, properties, created_at: created }) =>
    aliases.map(({ name: alias }) => {
      const { os = 'unknown', release = 'unknown', architecture = 'amd64' } = properties;
      const isDefault = alias.startsWith(`${os.toLowerCase()}/`);
      const variant = properties.variant ?? (isDefault ? 'default' : alias.slice(alias.lastIndexOf('/') + 1));
      const name = [os.toLowerCase(), release, architecture, variant].join(':');
      return { name, version: created.slice(0, 10).replaceAll('-', ''), alias };
    }),
  );
}
