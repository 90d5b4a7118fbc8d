export { covers, parseEntry, formatEntry, type Entry } from './entry';
export {
  allowed,
  allowing,
  allowingUntil,
  denying,
  EGRESS_MODES,
  isOn,
  newPolicy,
  policyAt,
  readPolicy,
  writePolicy,
  type EgressMode,
  type Policy,
  type TimedEntry,
} from './policy';
export { agentPreset, type Group, type Preset } from './preset';
export { entryFor, type Refusal } from './refusals';
export { rulesOf, type Rules } from './rules';
export { guestEgress, type Egress, type EgressState } from './setup';
