import { CodedError } from '../../base/error.js'
import { optional, required } from '../../cli/arguments.js'
import { BaseCommand } from '../../cli/command.js'
import type { Input } from '../../cli/inputs.js'
import { writeJson } from '../../cli/output.js'
import { answerOf, hex, onlyRecord, plain, readTlv, text, writeRecords } from '../../cli/rdx-files.js'
import { diffRecords } from '../../rdx/records.js'

/** `weft rdx diff`: what one state has that another lacks. */
export default class RdxDiff extends BaseCommand {
  static override summary = 'Print what a state has that another one lacks'
  static override description =
    `Both hold one record of the same type. Merged into the older state, the answer gives what merging the newer one would, if they are states of one history.`
  static override examples = ['<%= config.bin %> <%= command.id %> old.rdx new.rdx > patch.rdx']
  static override args = {
    old: required('File with the older state, - for standard input'),
    new: optional('File with the newer state, standard input where none is named'),
  }
  static override flags = { hex, text, plain }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RdxDiff)
    const [older, newer] = (await readTlv([args.old, args.new ?? '-'], flags.hex)) as [Input, Input]
    const letters = [onlyRecord(older).letter, onlyRecord(newer).letter]
    const patch = diffRecords(newer.bytes, older.bytes)
    if (patch === undefined) {
      throw new CodedError('RDX_MIXED', `Values of the types ${letters.join(' and ')} cannot be compared.`)
    }
    if (this.jsonEnabled()) await writeJson(answerOf(patch))
    else await writeRecords(patch, flags)
  }
}
