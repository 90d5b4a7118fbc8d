export { covers, parseEntry, formatEntry, type Entry } from './entry';
export {
  allowed,
  allowing,
  allowingUntil,
  denying,
  EGRESS_MODES,
  ENFORCEMENTS,
  isOn,
  newPolicy,
  policyAt,
  readPolicy,
  usesGateway,
  writePolicy,
  type EgressMode,
  type Enforcement,
  type Policy,
  type TimedEntry,
} from './policy';
export { agentPreset, type Group, type Preset } from './preset';
export { entryFor, type Refusal } from './refusals';
export { rulesOf, type Rules } from './rules';
export { egressOf, type Egress, type GatewayIngredients } from './setup';
