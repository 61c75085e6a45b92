/** What the page on the screen is called. */
import { ref } from 'vue'

export const title = ref('')
