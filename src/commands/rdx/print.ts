import { BaseCommand } from '../../cli/command.js'
import { nameOf } from '../../cli/inputs.js'
import { writeJson } from '../../cli/output.js'
import { answerOf, files, hex, plain, readTlv, writeRecords } from '../../cli/rdx-files.js'
import { assertRecords, splitRecords } from '../../rdx/records.js'

/** `weft rdx print`: bytes to text. */
export default class RdxPrint extends BaseCommand {
  static override summary = 'Print records as text, a line for each'
  static override description = `The text has all that is in the records, so that rdx parse makes the same bytes of it.`
  static override examples = [
    '<%= config.bin %> <%= command.id %> values.rdx',
    'echo 690432080515 | <%= config.bin %> <%= command.id %> --hex --plain',
  ]
  static override args = { files }
  static override flags = { hex, plain }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(RdxPrint)
    const inputs = await readTlv(args.files, flags.hex)
    for (const { name, bytes } of inputs) assertRecords(bytes, nameOf(name))
    if (this.jsonEnabled()) {
      const records = inputs.flatMap(({ bytes }) =>
        (splitRecords(bytes) ?? []).map(({ start, bodyStart, tlv }) =>
          answerOf(bytes.subarray(start, bodyStart + tlv.length)),
        ),
      )
      await writeJson(records)
    } else {
      for (const { bytes } of inputs) await writeRecords(bytes, { hex: false, text: true, plain: flags.plain })
    }
  }
}
