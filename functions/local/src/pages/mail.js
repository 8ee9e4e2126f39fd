// Lists the mails, shows one, and asks for new ones. All that a mail says is set as text; its HTML is shown by a
// frame in which nothing runs.

const EVERY = 1000;
const CODE = /(?:^|\D)(\d{4,8})$/;
const at = (id) => document.getElementById(id);
const switches = at('switches');

/** The rows by the mail's key, newest mail first. */
let rows = new Map();
let chosen = null;
let frame = null;

// A server in memory counts from 1 again after a restart.
const keyOf = (mail) => `${mail.id} ${mail.sent_at}`;
const codeOf = (mail) => CODE.exec(mail.subject.trimEnd())?.[1] ?? '';
const clock = (mail) => new Date(mail.sent_at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const say = (text) => { at('said').textContent = text; };

function element(name, className, text = '') {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function rowOf(mail) {
  const item = element('li', '');
  const row = element('button', 'row');
  row.type = 'button';
  row.dir = 'auto';
  const who = element('span', 'who');
  who.append(element('span', 'to', mail.to.join(', ')), element('time', '', clock(mail)));
  row.append(element('bdi', 'subject', mail.subject), who);
  row.addEventListener('click', () => choose(keyOf(mail)));
  item.append(row);
  return { mail, item, row };
}

/** Brings the list up to date; rows that stay are the same elements, so focus and place stay too. */
function update(mails, first) {
  const was = rows;
  rows = new Map(mails.map((mail) => [keyOf(mail), was.get(keyOf(mail)) ?? rowOf(mail)]));
  for (const [key, { item }] of was) if (!rows.has(key)) item.remove();
  const list = at('list');
  const fresh = [...rows].filter(([key]) => !was.has(key)).map(([, row]) => row);
  // From the oldest on, each above the one before.
  for (const { item } of [...fresh].reverse()) {
    list.prepend(item);
    item.classList.toggle('fresh', !first);
  }
  at('count').textContent = ['', '1 mail'][mails.length] ?? `${mails.length} mails`;
  at('empty').hidden = mails.length > 0;
  at('mails').hidden = mails.length === 0;
  if (!first && fresh.length > 0) say(`New mail: ${fresh[0].mail.subject}`);
  if (!rows.has(chosen)) choose(rows.keys().next().value ?? null);
  title();
}

function title() {
  const unread = document.querySelectorAll('.fresh').length;
  document.title = unread > 0 ? `(${unread}) Mails` : 'Mails';
}

function choose(key) {
  chosen = key;
  for (const [other, { row, item }] of rows) {
    row.setAttribute('aria-current', String(other === key));
    if (other === key) item.classList.remove('fresh');
  }
  title();
  if (key === null) return;
  const { mail } = rows.get(key);
  at('subject').textContent = mail.subject;
  at('to').textContent = mail.to.join(', ');
  at('from').textContent = mail.from;
  at('sent').dateTime = mail.sent_at;
  at('sent').textContent = new Date(mail.sent_at).toLocaleString();
  at('code').textContent = codeOf(mail);
  at('copy').hidden = codeOf(mail) === '';
  told('');
  at('plain').textContent = mail.text;
  frame?.remove();
  frame = mail.html === '' ? null : frameOf(mail);
  if (frame) at('stage').append(frame);
  show();
}

function frameOf(mail) {
  const made = element('iframe', 'frame');
  made.title = 'The mail as HTML';
  // No scripts, forms, pop-ups or navigation. The page may look in, to give the frame the height of its content.
  made.setAttribute('sandbox', 'allow-same-origin');
  made.addEventListener('load', fit);
  made.src = `/_local/mail/${mail.id}/html`;
  return made;
}

/** What the switches say. */
function show() {
  const { part, scheme, width } = Object.fromEntries(new FormData(switches));
  const html = frame !== null && part === 'html';
  at('plain').hidden = html;
  at('schemes').disabled = at('widths').disabled = !html;
  if (!frame) return;
  frame.hidden = !html;
  // The scheme of the element is what `prefers-color-scheme` is inside.
  frame.className = `frame ${scheme} ${width}`;
  fit();
}

function fit() {
  const page = frame?.contentDocument?.documentElement;
  if (!page || frame.hidden) return;
  frame.style.height = 'auto';
  frame.style.height = `${page.scrollHeight + 2}px`;
}

function told(word) {
  at('copy').classList.toggle('done', word !== '');
  at('copy-word').textContent = word || 'Copy';
  at('copy').setAttribute('aria-label', `Copy the code ${at('code').textContent}`);
}

at('copy').addEventListener('click', async () => {
  const code = at('code').textContent;
  try {
    await navigator.clipboard.writeText(code);
    told('Copied');
    say(`Copied ${code}`);
  } catch {
    // The browser keeps the clipboard to itself: at least the code is selected.
    getSelection().selectAllChildren(at('code'));
    told('Selected');
    say('The browser allows no copying. The code is selected instead.');
  }
});

// Down and up go from row to row.
at('list').addEventListener('keydown', (event) => {
  const step = { ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling' }[event.key];
  const next = step && event.target.closest('li')?.[step];
  if (!next) return;
  event.preventDefault();
  next.firstElementChild.focus();
});
switches.addEventListener('change', show);
switches.addEventListener('submit', (event) => event.preventDefault());
addEventListener('resize', fit);

if (matchMedia('(prefers-color-scheme: dark)').matches) switches.elements.scheme.value = 'dark';
at('try').textContent = `curl ${location.origin}/sproutgate/api/auth/register -H 'Content-Type: application/json' \\
  -d '{"account":"anna","password":"swordfish","username":"Anna","email":"anna@example.com"}'`;

for (let first = true; ; ) {
  if (!document.hidden || first) {
    try {
      const mails = await (await fetch('/_local/mail.json')).json();
      at('trouble').hidden = true;
      update(mails, first);
      first = false;
    } catch {
      at('trouble').hidden = false;
    }
  }
  await new Promise((done) => {
    setTimeout(done, EVERY);
    document.addEventListener('visibilitychange', done, { once: true });
  });
}
