/**
 * Fuzzing of the sync protocol: `npm run fuzz:sync [-- --minutes 10] [--seed n]`.
 *
 * Conversations of two replicas, spoilt, are said to one of them again: to one that answers, to one that asks, to one that is
 * being cloned. A finding ends the run with status 1; the same seed comes to it again.
 * @module
 */
import { parseArgs } from 'node:util'
import { defaultCrypto as crypto } from '../../src/crypto/default.js'
import { Chance } from '../simulation/chance.js'
import { Fuzzer } from '../simulation/fuzzer.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
})
const minutes = Number(values.minutes)
const seed = Number(values.seed)
if (!(minutes > 0) || !Number.isInteger(seed)) {
  throw new RangeError('expected --minutes to be over 0 and --seed an integer')
}
console.log(`fuzz:sync --minutes ${minutes} --seed ${seed}`)
Object.assign(crypto, { randomBytes: new Chance(seed + 1).bytes })
const fuzzer = await Fuzzer.begin(seed)
const end = Date.now() + minutes * 60_000
try {
  while (Date.now() < end) await fuzzer.round()
} catch (error) {
  console.error(error)
  console.error(`FAILED in round ${fuzzer.result.rounds}: npm run fuzz:sync -- --seed ${seed}`)
  process.exit(1)
}
console.log(JSON.stringify(fuzzer.result))
