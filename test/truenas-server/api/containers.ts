import { randomUUID } from 'node:crypto';
import type { Container, ContainerFields } from '../incus/containers';
import { CallError, ERRNO, invalid, ValidationErrors } from '../rpc/errors';
import { method, type MethodTable } from '../rpc/method';
import type { QueryOptions, Row } from '../rpc/queryFilters';
import type { Nas } from '../nas';
import { containerDeviceMethods, deviceEntry } from './containerDevices';
import { registryImages } from './registryImages';

type CreateFields = Omit<ContainerFields, 'uuid'> & {
  readonly name: string;
  readonly uuid: string | null;
  readonly pool?: string | null;
  readonly image?: { readonly name: string; readonly version: string };
};

interface StopFields {
  readonly force?: boolean;
  readonly force_after_timeout?: boolean;
}

const READING = { roles: ['CONTAINER_READ'] };
const WRITING = { roles: ['CONTAINER_WRITE'] };
/** What is known in another way, or not any more. */
const NOT_KEPT = ['name', 'uuid', 'pool', 'image', 'dataset'];
const STATES: Readonly<Record<string, string>> = { Running: 'RUNNING', Frozen: 'SUSPENDED' };

/** 26: [stable/26] MW:plugins/container/container.py and lifecycle.py. */
export function containerMethods(nas: Nas): MethodTable {
  const { containers, instances, middleware, pool } = nas;

  function entry({ id, name, fields, devices, instance }: Container): Row {
    const state = STATES[instance.status] ?? 'STOPPED';
    const { pid } = instance.state ?? {};
    return {
      id,
      name,
      ...fields,
      devices: devices.map((device) => deviceEntry(id, device)),
      dataset: pool.layout.datasetOf(name),
      default_network: devices.some(({ attributes }) => attributes.dtype === 'NIC') ? null : 'truenasbr0',
      status: {
        state,
        pid: state === 'STOPPED' ? null : (pid ?? null),
        domain_state: state === 'STOPPED' ? null : state,
      },
    };
  }

  async function made(id: number): Promise<Row> {
    const row = entry(await containers.get(id));
    middleware.tell('container.query', 'added', id, row);
    return row;
  }

  async function checkName(name: string): Promise<void> {
    await pool.forgetOrphans();
    if (await instances.find(name))
      throw invalid('container_create.name', `A container named '${name}' already exists`);
  }

  async function create(fields: CreateFields, image: string, around: boolean): Promise<number> {
    const { name, uuid } = fields;
    const own = Object.fromEntries(Object.entries(fields).filter(([key]) => !NOT_KEPT.includes(key))) as typeof fields;
    const id = await containers.nextId();
    const config = containers.configOf(id, { ...own, uuid: uuid ?? randomUUID() }, []);
    const devices = { root: { type: 'disk', path: '/', pool: nas.incusPool } };
    const make = (): Promise<void> => instances.create({ name, image, config, devices }, () => undefined);
    await (around ? containers.createAround(name, make) : make());
    return id;
  }

  async function stop({ name, fields }: Container, options: StopFields): Promise<void> {
    const { force = false, force_after_timeout: isPatient = false } = options;
    try {
      await instances.stop(name, { force, timeout: force ? -1 : fields.shutdown_timeout });
    } catch (error) {
      if (force || !isPatient) throw error;
      await instances.stop(name, { force: true, timeout: -1 });
    }
  }

  async function remove(container: Container, options: { force?: boolean; recursive?: boolean }): Promise<void> {
    const { name, instance } = container;
    const dataset = pool.layout.datasetOf(name);
    const count = pool.table.of(dataset).length;
    if (count > 0 && !options.recursive) {
      const text = `Container '${name}' dataset '${dataset}' has ${count} snapshot(s). Set \`recursive\` to delete the container together with them.`;
      throw new ValidationErrors([['container_delete.recursive', text, ERRNO.ENOTEMPTY]], 'ValidationError');
    }
    if (instance.status !== 'Stopped') {
      if (!options.force) throw new CallError(`Container '${name}' is running`);
      await stop(container, { force: true });
    }
    // Clones of its snapshots go with it, wherever they are.
    for (const clone of pool.table.of(dataset).flatMap(({ id }) => pool.table.clonesOf(id))) {
      await pool.destroyDataset(clone, { recursive: true });
    }
    await instances.delete(name);
    await pool.instanceDeleted(name);
  }

  return {
    'container.query': method<[unknown[], QueryOptions]>(READING, async ([filters, options]) =>
      middleware.query('container.query', (await containers.all()).map(entry), filters, options),
    ),
    'container.get_instance': method<[number]>(READING, async ([id]) => entry(await containers.get(id))),
    'container.create': method<[CreateFields]>({ ...WRITING, job: {} }, async ([fields], _, job) => {
      await checkName(fields.name);
      if (fields.pool && fields.pool !== nas.poolName) throw invalid('container_create.pool', 'Not a valid pool');
      const { name = '', version = '' } = fields.image ?? {};
      const image = (await registryImages(nas)).find((known) => known.name === name && known.version === version);
      if (!image) throw invalid('container_create.image', `Image ${name}:${version} is not available`);
      job.setProgress(10, 'Preparing image');
      const id = await create(fields, image.alias, false);
      middleware.step(job);
      return made(id);
    }),
    'container.create_with_dataset': method<[CreateFields & { dataset: string }]>(
      { isPrivate: true },
      async ([fields]) => {
        await checkName(fields.name);
        const { dataset, name } = fields;
        pool.requireDataset(dataset);
        if (dataset !== pool.layout.datasetOf(name))
          throw new CallError(`The test server wants ${pool.layout.datasetOf(name)}`);
        const [image] = await registryImages(nas);
        return made(await create(fields, image?.alias ?? '', true));
      },
    ),
    'container.update': method<[number, Partial<ContainerFields> & { name?: string }]>(
      WRITING,
      async ([id, changes]) => {
        const container = await containers.get(id);
        const { name, ...own } = changes;
        await containers.write(container, { fields: { ...container.fields, ...own } });
        if (name !== undefined && name !== container.name) {
          if (container.instance.status !== 'Stopped')
            throw invalid('container_update.name', 'Container must be stopped');
          await instances.rename(container.name, name);
          await pool.instanceRenamed(container.name, name);
        }
        const changed = entry(await containers.get(id));
        middleware.tell('container.query', 'changed', id, changed);
        return changed;
      },
    ),
    'container.delete': method<[number, { force?: boolean; recursive?: boolean }]>(
      { ...WRITING, job: { lock: ([id]) => `container_action_${id}` } },
      async ([id, options], _, job) => {
        const container = await containers.get(id);
        middleware.step(job);
        await remove(container, options);
        middleware.tell('container.query', 'removed', id);
        return null;
      },
    ),
    'container.start': method<[number]>(WRITING, async ([id]) => {
      const container = await containers.get(id);
      if (container.instance.status !== 'Stopped')
        throw new CallError(`Container '${container.name}' is already running`);
      containers.writeHostname(container.name);
      await instances.start(container.name);
      middleware.tell('container.query', 'changed', id, entry(await containers.get(id)));
      return null;
    }),
    'container.stop': method<[number, StopFields]>(
      { ...WRITING, job: { lock: ([id]) => `container_action_${id}` } },
      async ([id, options], _, job) => {
        const container = await containers.get(id);
        middleware.step(job);
        await stop(container, options);
        middleware.tell('container.query', 'changed', id, entry(await containers.get(id)));
        return null;
      },
    ),
    'container.pool_choices': method(READING, () => ({ [nas.poolName]: nas.poolName })),
    'container.image.query_registry': method({ roles: ['CONTAINER_IMAGE_WRITE'] }, async () =>
      (await registryImages(nas)).map(({ name, version }) => ({ name, versions: [{ version }] })),
    ),
    ...containerDeviceMethods(nas),
  };
}
