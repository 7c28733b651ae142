import { required } from '../../cli/arguments.js'
import { BaseCommand } from '../../cli/command.js'
import { formatEntry } from '../../cli/format-store.js'

/** `weft store get`: one entry in full. */
export default class StoreGet extends BaseCommand {
  static override summary = 'Show one entry of the store in full'
  static override examples = ['<%= config.bin %> <%= command.id %> <key> --json']
  static override args = { key: required('Key of the entry, as store scan prints it') }

  async run(): Promise<void> {
    const { args } = await this.parse(StoreGet)
    await using repo = await this.openRepository()
    await this.answer(await repo.store.get(args.key), formatEntry)
  }
}
