import os from 'node:os';
import { deviceToIncus, freeDeviceName, type Device, type IncusDevice } from '../incus/devices';
import { instanceEntry, type IncusInstance } from '../incus/instanceEntry';
import { CallError, ERRNO, ValidationErrors, type Triple } from '../rpc/errors';
import { method, type MethodTable } from '../rpc/method';
import type { QueryOptions, Row } from '../rpc/queryFilters';
import type { Nas } from '../nas';
import { imageChoices } from './imageChoices';
import { validateDevice } from './validateDevice';

interface Fields {
  readonly environment?: Readonly<Record<string, string>> | null;
  readonly autostart?: boolean | null;
  readonly cpu?: string | null;
  readonly memory?: number | null;
  readonly privileged_mode?: boolean;
}

interface CreateFields extends Fields {
  readonly name: string;
  readonly image: string;
  readonly storage_pool?: string | null;
  readonly devices?: readonly Device[] | null;
}

interface StopFields {
  readonly timeout: number;
  readonly force: boolean;
}

const READING = { roles: ['VIRT_INSTANCE_READ'] };
const WRITING = { roles: ['VIRT_INSTANCE_WRITE'] };

/** Jobs on one instance run one after another (MW:plugins/virt/instance.py). */
const lock = ([id]: readonly [string, ...unknown[]]): string => `instance_action_${id}`;

/** MW:plugins/virt/instance.py. */
export function virtInstanceMethods(nas: Nas): MethodTable {
  const { instances, middleware, misbehave, poolName, profile } = nas;

  function checkInitialized(): void {
    if (misbehave.virtState !== 'INITIALIZED') throw new CallError('Virtualization not initialized.');
  }

  function entry(instance: IncusInstance, withRaw: boolean): Row {
    const hidesAddresses = instances.hidesAddresses(instance.name);
    return instanceEntry(instance, { profile, storagePool: poolName, withRaw, hidesAddresses });
  }

  const told = (id: string, msg: 'added' | 'changed' | 'removed', status?: string): void =>
    middleware.tell('virt.instance.query', msg, id, status === undefined ? undefined : { status });

  /** Incus tells its operations "Starting instance" and "Stopping instance", from which the events are made. */
  async function start(id: string): Promise<void> {
    checkDataset(id);
    told(id, 'changed', 'STARTING');
    await instances.start(id);
    told(id, 'changed', 'RUNNING');
  }

  /** Before Incus is asked: on btrfs it would make a directory in place of what is missing, and never get rid of it again. */
  function checkDataset(id: string): void {
    const dataset = nas.pool.layout.datasetOf(id);
    if (nas.pool.has(dataset)) return;
    throw new CallError(
      `Failed to run: zfs get -H -p -o value mountpoint ${dataset}: exit status 1 (cannot open '${dataset}': dataset does not exist)`,
    );
  }

  async function stop(id: string, options: StopFields): Promise<void> {
    told(id, 'changed', 'STOPPING');
    await instances.stop(id, options);
    told(id, 'changed', 'STOPPED');
  }

  async function deleteIt(id: string): Promise<void> {
    if ((await instances.find(id))?.status === 'Running') await stop(id, { timeout: -1, force: true });
    await instances.delete(id);
    await nas.pool.instanceDeleted(id);
    told(id, 'removed');
  }

  async function validate(schema: string, fields: Fields): Promise<Triple[]> {
    const triples: Triple[] = [];
    const name = (fields as Partial<CreateFields>).name;
    if (name !== undefined && (await instances.find(name))) {
      triples.push([`${schema}.name`, `Name '${name}' already exists`, ERRNO.EINVAL]);
    }
    if (fields.memory && fields.memory > os.totalmem()) {
      triples.push([`${schema}.memory`, 'Cannot reserve more than physical memory', ERRNO.EINVAL]);
    }
    if (fields.cpu && /^\d+$/.test(fields.cpu) && Number(fields.cpu) > os.cpus().length) {
      triples.push([`${schema}.cpu`, 'Cannot reserve more than system cores', ERRNO.EINVAL]);
    }
    return triples;
  }

  function devicesOf(given: readonly Device[]): Record<string, IncusDevice> {
    const devices: Record<string, IncusDevice> = {
      root: { type: 'disk', path: '/', pool: nas.incusPool }, // the default profile of a NAS has none
    };
    for (const device of given) {
      validateDevice(nas, device, 'virt_instance_create');
      devices[device.name ?? freeDeviceName(Object.keys(devices), device.dev_type)] = deviceToIncus(
        device,
        nas.network,
      );
    }
    return devices;
  }

  return {
    'virt.instance.query': method<[unknown[], QueryOptions]>(READING, async ([filters, options], { session }) => {
      if (misbehave.virtState !== 'INITIALIZED') return [];
      const withRaw = options.extra?.raw === true;
      const rows = (await instances.all()).map((instance) => entry(instance, withRaw));
      const maySeeRaw = session === null || session.hasRole(['VIRT_INSTANCE_WRITE']);
      const answer = middleware.query('virt.instance.query', rows, filters, options);
      return maySeeRaw || !withRaw ? answer : withoutRaw(answer);
    }),
    'virt.instance.get_instance': method<[string, QueryOptions]>(READING, async ([id, options]) => {
      checkInitialized();
      return entry(await instances.get(id), options.extra?.raw === true);
    }),
    'virt.instance.create': method<[CreateFields]>({ ...WRITING, job: {} }, async ([fields], _, job) => {
      checkInitialized();
      await nas.pool.forgetOrphans();
      const triples = await validate('virt_instance_create', fields);
      if (fields.storage_pool && fields.storage_pool !== poolName) {
        triples.push(['virt_instance_create.storage_pool', 'Not a valid ZFS pool', ERRNO.EINVAL]);
      }
      if (triples.length > 0) throw new ValidationErrors(triples);
      const devices = devicesOf(fields.devices ?? []);
      const { name, image } = fields;
      const config = Object.fromEntries(
        Object.entries(configOf(fields)).filter((pair): pair is [string, string] => pair[1] !== null),
      );
      try {
        await instances.create({ name, image, config, devices }, (text) => job.setProgress(null, text));
        middleware.step(job);
        told(name, 'added');
        if (fields.autostart) await start(name);
      } catch (error) {
        if (middleware.jobs.get(job.id) === job && (await instances.find(name))) await deleteIt(name);
        throw error;
      }
      return entry(await instances.get(name), false);
    }),
    'virt.instance.update': method<[string, Fields]>({ ...WRITING, job: {} }, async ([id, fields], _, job) => {
      checkInitialized();
      const { config } = await instances.get(id);
      const triples = await validate('virt_instance_update', fields);
      if (triples.length > 0) throw new ValidationErrors(triples);
      const old = Object.keys(config).filter(
        (key) => fields.environment !== undefined && key.startsWith('environment.'),
      );
      await instances.change(id, {
        config: { ...Object.fromEntries(old.map((key) => [key, null])), ...configOf(fields) },
      });
      middleware.step(job);
      told(id, 'changed');
      return entry(await instances.get(id), false);
    }),
    'virt.instance.delete': method<[string]>({ ...WRITING, job: { lock } }, async ([id], _, job) => {
      checkInitialized();
      await instances.get(id);
      middleware.step(job);
      await deleteIt(id);
      return true;
    }),
    'virt.instance.start': method<[string]>({ ...WRITING, job: { lock, hasLogs: true } }, async ([id], _, job) => {
      checkInitialized();
      const { status } = await instances.get(id);
      if (!['Running', 'Stopped'].includes(status)) {
        throw new CallError(`Only running or stopped instances can be started, this one is ${status}`);
      }
      middleware.step(job);
      try {
        await start(id);
      } catch (error) {
        const reason = error instanceof CallError ? error.reason : String(error);
        job.writeLog(`lxc ${id} ERROR    start - ${reason}\n`);
        throw new CallError(`Failed to start instance: ${reason}. Please check job logs.`);
      }
      return true;
    }),
    'virt.instance.stop': method<[string, StopFields]>({ ...WRITING, job: { lock } }, async ([id, options], _, job) => {
      middleware.step(job);
      await stop(id, options);
      return true;
    }),
    'virt.instance.restart': method<[string, StopFields]>(
      { ...WRITING, job: { lock } },
      async ([id, options], _, job) => {
        checkInitialized();
        if ((await instances.get(id)).status === 'Running') await stop(id, options);
        middleware.step(job);
        await start(id);
        return true;
      },
    ),
    'virt.instance.image_choices': method(READING, () => imageChoices(nas)),
  };
}

/** null removes a key. `boot.autostart` is off, since the middleware starts them itself, by its own key. */
function configOf(fields: Fields): Record<string, string | null> {
  const config: Record<string, string | null> = {};
  for (const [key, value] of Object.entries(fields.environment ?? {})) config[`environment.${key}`] = value;
  if (fields.cpu !== undefined) config['limits.cpu'] = fields.cpu;
  if (fields.memory !== undefined) {
    config['limits.memory'] = fields.memory ? `${Math.floor(fields.memory / 1024 / 1024)}MiB` : null;
  }
  if (fields.autostart !== undefined && fields.autostart !== null) {
    config['boot.autostart'] = 'false';
    config['user.autostart'] = String(fields.autostart);
  }
  if (fields.privileged_mode !== undefined) config['security.privileged'] = String(fields.privileged_mode);
  return config;
}

/** `raw` is a secret of those who may write. */
function withoutRaw(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map(withoutRaw);
  return typeof answer === 'object' && answer !== null && 'raw' in answer ? { ...answer, raw: '********' } : answer;
}
