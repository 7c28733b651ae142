import { BaseCommand } from '../../cli/command.js'
import { formatStat } from '../../cli/format-store.js'

/** `weft store stat`: what the store holds. */
export default class StoreStat extends BaseCommand {
  static override summary = 'Count the entries of the store by kind'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async run(): Promise<void> {
    await this.parse(StoreStat)
    await using repo = await this.openRepository()
    await this.answer(await repo.store.stat(), formatStat)
  }
}
