/**
 * Makes schemas/*.json: for each method that the server offers, what its parameters and its result must be. Input are
 * descriptions of TrueNAS' own models, which are not part of this repository:
 *   node test/truenas-server/reduceSchemas.mjs METHODS-25.04.json SCHEMAS-25.10.json SCHEMAS-26.0.json
 * The first is what a 25.04 machine says of its methods; the others are JSON schemas generated from the pydantic models of
 * 25.10.5 and 26.0, by the names of their classes. Types, limits and defaults are kept; texts are left out.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { format } from 'prettier';
import {
  common,
  commonEntries,
  containerConfigs,
  containerEntries,
  containers,
  snapshotEntries,
  snapshots,
  virt,
  virtConfigs,
  virtEntries,
} from './offeredMethods.mjs';

const [dump, models2510, models26] = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, 'utf8')));

const anything = {};
const object = (properties, required = []) => ({ type: 'object', additionalProperties: false, properties, required });
const orNull = (schema) => ({ anyOf: [schema, { type: 'null' }] });

/** MW:api/base/query.py, `QueryOptions`, as in the notes on 25.10. */
const queryOptions = {
  ...object({
    extra: { type: 'object', default: {} },
    order_by: { type: 'array', items: { type: 'string' }, default: [] },
    select: { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'array' }] }, default: [] },
    count: { type: 'boolean', default: false },
    get: { type: 'boolean', default: false },
    offset: { type: 'integer', default: 0 },
    limit: { type: 'integer', default: 0 },
    force_sql_filters: { type: 'boolean', default: false },
  }),
  default: {},
};
const filters = { type: 'array', default: [] };

/** Methods that no description has, since they are private or have no model. */
const handWritten = {
  'filesystem.file_receive': {
    params: object(
      {
        path: { type: 'string' },
        content: { type: 'string' },
        options: {
          ...object({
            append: { type: 'boolean', default: false },
            mode: { ...orNull({ type: 'integer' }), default: null },
            uid: { ...orNull({ type: 'integer' }), default: -1 },
            gid: { ...orNull({ type: 'integer' }), default: -1 },
          }),
          default: {},
        },
      },
      ['path', 'content'],
    ),
    result: { const: true },
  },
  'system.product_type': { params: object({}), result: { type: 'string' } },
  'system.ready': { params: object({}), result: { type: 'boolean' } },
  'system.version': { params: object({}), result: { type: 'string' } },
  'system.version_short': { params: object({}), result: { type: 'string' } },
};

/** The event carries the date in the extended JSON of truenas/api_client `ejson.py`. */
const date = { ...object({ $date: { type: 'integer' } }, ['$date']) };

await write('25.04.2', fromDump());
await write(
  '25.10.5',
  fromModels(models2510, {
    classes: { ...common, ...snapshots, ...virt },
    entries: { ...commonEntries, ...snapshotEntries, ...virtEntries },
    configs: virtConfigs,
  }),
);
await write('26.0', {
  ...fromModels(models26, {
    classes: { ...common, ...snapshots, ...containers },
    entries: { ...commonEntries, ...snapshotEntries, ...containerEntries },
    configs: containerConfigs,
  }),
  'container.create_with_dataset': createWithDataset(),
});

function fromModels(models, { classes, entries, configs }) {
  const methods = { ...handWritten };
  for (const [method, name] of Object.entries(classes)) {
    methods[method] = { params: model(models, `${name}Args`), result: resultOf(models, `${name}Result`) };
  }
  for (const [name, [entry, id]] of Object.entries(entries)) {
    const query = name.includes('get_jobs') ? name : `${name}.query`;
    methods[query] = { params: object({ filters, options: queryOptions }), entry: model(models, entry) };
    if (!id) continue;
    const params = object({ id: { type: id }, options: queryOptions }, ['id']);
    methods[`${name}.get_instance`] = { params, result: model(models, entry) };
  }
  for (const [method, entry] of Object.entries(configs)) {
    methods[method] = { params: object({}), result: model(models, entry) };
  }
  return methods;
}

/**
 * What the 25.04 machine said. Where that is in the older form, which says less than what is sent (dates are strings in it, and
 * numbers too), the models of 25.10 take its place; of a job, `message_ids` came later.
 */
function fromDump() {
  const wanted = [
    ...Object.keys(common),
    ...[...Object.keys(snapshots), 'pool.snapshot.query', 'pool.snapshot.get_instance'].map((method) =>
      method.replace('pool.', 'zfs.'),
    ),
    ...Object.keys(virt),
    ...['virt.instance', 'cronjob', 'interface'].flatMap((name) => [`${name}.query`, `${name}.get_instance`]),
    'virt.global.config',
  ];
  const methods = { ...handWritten };
  for (const name of wanted) {
    const described = dump[name];
    if (!described) continue; // came later: zfs.snapshot.rename
    const properties = Object.fromEntries(described.accepts.map((schema) => [schema._name_, reduce(schema)]));
    const required = described.accepts.filter((schema) => schema._required_).map((schema) => schema._name_);
    const params = object(properties, required);
    const [returns] = described.returns ?? [];
    if (name.endsWith('.query'))
      methods[name] = { params, entry: reduce(dump[name.replace(/query$/, 'get_instance')].returns[0]) };
    else methods[name] = { params, result: returns ? reduce(returns) : anything };
  }
  // Pydantic models without descriptions of their own for what they take.
  methods['core.set_options'] = {
    params: object({ options: { type: 'object', properties: { py_exceptions: { type: 'boolean' } } } }, ['options']),
    result: { type: 'null' },
  };
  const newer = fromModels(models2510, {
    classes: { 'core.get_methods': 'core.CoreGetMethods', 'system.info': 'system.SystemInfo' },
    entries: { interface: commonEntries.interface },
    configs: {},
  });
  for (const name of ['core.get_methods', 'system.info', 'interface.query', 'interface.get_instance']) {
    methods[name] = newer[name];
  }
  const item = model(models2510, 'core.CoreGetJobsItem');
  delete item.properties.message_ids;
  item.required = item.required.filter((key) => key !== 'message_ids');
  methods['core.get_jobs'] = { params: object({ filters, options: queryOptions }), entry: item };
  return methods;
}

/** 26's private method that registers a data set as a container: `container.create` without image and pool. */
function createWithDataset() {
  const create = model(models26, 'container.ContainerCreateArgs');
  const inner = structuredClone(create);
  const [name] = Object.keys(inner.properties);
  const holder = inner.properties[name].$ref
    ? inner.$defs[inner.properties[name].$ref.split('/').at(-1)]
    : inner.properties[name];
  delete holder.properties.image;
  delete holder.properties.pool;
  holder.properties.dataset = { type: 'string' };
  holder.required = [...holder.required.filter((key) => key !== 'image'), 'dataset'];
  return { params: inner, result: model(models26, 'container.ContainerEntry') };
}

function model(models, name) {
  const found = models[name];
  if (!found) throw new Error(`No model ${name}`);
  return reduce(found);
}

function resultOf(models, name) {
  const { properties, $defs } = model(models, name);
  return { ...properties.result, ...($defs ? { $defs } : {}) };
}

/** Without texts and without what only pydantic's generator or the machine's description of itself knows. */
function reduce(schema, place) {
  if (Array.isArray(schema)) return schema.map((part) => reduce(part));
  if (typeof schema !== 'object' || schema === null) return schema;
  if (place === 'properties' || place === '$defs') {
    return Object.fromEntries(Object.entries(schema).map(([name, part]) => [name, reduce(part)]));
  }
  if (schema.format === 'date-time') return date;
  const texts = ['description', 'title', 'examples', '_name_', '_required_', '_attrs_order_', 'nullable', 'format'];
  const kept = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (texts.includes(keyword)) continue;
    if (keyword === 'default' || keyword === 'enum' || keyword === 'const') kept[keyword] = value;
    else if (value === 'float') kept[keyword] = 'number';
    else if (keyword === 'discriminator') kept[keyword] = { propertyName: value.propertyName };
    else if (keyword === 'items' && Array.isArray(value))
      kept[keyword] = value.length === 1 ? reduce(value[0]) : anything;
    else kept[keyword] = reduce(value, keyword);
  }
  if (schema.nullable && kept.anyOf) kept.anyOf = [...kept.anyOf, { type: 'null' }];
  return kept;
}

/** A parameter may be left out without a default that JSON schemas could tell: an object then has its own defaults. */
function withDefaults({ params, ...rest }) {
  const { properties, required = [], $defs = {} } = params;
  for (const [name, schema] of Object.entries(properties)) {
    if (required.includes(name) || 'default' in schema) continue;
    const target = schema.$ref ? $defs[schema.$ref.split('/').at(-1)] : schema;
    schema.default = target.type === 'object' ? {} : null;
  }
  return { params, ...rest };
}

async function write(profile, methods) {
  const complete = Object.entries(methods).map(([name, schemas]) => [name, withDefaults(structuredClone(schemas))]);
  const sorted = Object.fromEntries(complete.sort(([a], [b]) => (a < b ? -1 : 1)));
  const file = path.join(import.meta.dirname, 'schemas', `${profile}.json`);
  writeFileSync(file, await format(JSON.stringify(sorted), { parser: 'json', printWidth: 120 }));
  console.log(`${file}: ${Object.keys(sorted).length} methods`);
}
