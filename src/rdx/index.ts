/**
 * Replicated data types: values that can be merged in any order and any number of times. `import * as rdx from
 * 'weft-vcs/rdx'`.
 *
 * Every type is a value of ten functions and some more (`M.merge([a, b])`); the functions of types.ts take its letter first
 * (`merge('M', [a, b])`); those of records.ts take enveloped records, which name their type. README.md beside this file
 * is the specification.
 * @module
 */
export { CodedError } from '../base/error.js'
export type { CausalCounter } from './causal-counter.js'
export { C } from './causal-counter.js'
export type { Fault } from './fault.js'
export { F, I, R, S, T } from './first.js'
export { N } from './grow-counter.js'
export { L } from './list.js'
export { M } from './map.js'
export type { Native, Ref, Term } from './native.js'
export {
  assertRecords,
  checkRecords,
  diffRecords,
  type Enveloped,
  formatRecords,
  mergeRecords,
  parseRecords,
  splitRecords,
} from './records.js'
export { E } from './set.js'
export type { Stamp } from './stamp.js'
export { RECORD_LIMIT, RecordStream, readRecords, type StreamRecord } from './stream.js'
export { Z } from './two-way-counter.js'
export type { RdxType, TextForm } from './type.js'
export {
  type AnyType,
  assertValid,
  check,
  compare,
  delta,
  diff,
  empty,
  merge,
  parse,
  plain,
  string,
  TYPES,
  type TypeLetter,
  tlv,
  typeOf,
  valid,
  vector,
} from './types.js'
export { V } from './vector.js'
