import { CodedError } from '../../base/error.js'
import { BaseCommand } from '../../cli/command.js'
import { writeJson } from '../../cli/output.js'
import { answerOf, files, hex, onlyRecord, plain, readTlv, text, writeRecords } from '../../cli/rdx-files.js'
import { mergeRecords } from '../../rdx/records.js'

/** `weft rdx merge`: the state that knows what all of some states know. */
export default class RdxMerge extends BaseCommand {
  static override summary = 'Merge states of one value'
  static override description =
    `Every file holds one record, and all are of one type. Neither their order nor how often one is given makes a difference.`
  static override examples = [
    '<%= config.bin %> <%= command.id %> ana.rdx ben.rdx > both.rdx',
    '<%= config.bin %> <%= command.id %> ana.rdx ben.rdx --text',
  ]
  static override args = { files }
  static override flags = { hex, text, plain }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RdxMerge)
    const inputs = await readTlv(args.files, flags.hex)
    const letters = new Set(inputs.map((input) => onlyRecord(input).letter))
    const merged = mergeRecords(inputs.map(({ bytes }) => bytes))
    if (merged === undefined && letters.size > 1) {
      throw new CodedError('RDX_MIXED', `Values of the types ${[...letters].sort().join(', ')} cannot be merged.`)
    }
    if (merged === undefined) {
      throw new CodedError(
        'RDX_CAUSAL',
        'Causal counters that differ cannot be merged: one may hold changes of the other.',
        {
          hint: 'Add the changes in the order of the log they came in, or count with type N or Z.',
        },
      )
    }
    if (this.jsonEnabled()) await writeJson(answerOf(merged))
    else await writeRecords(merged, flags)
  }
}
