/** The lessons as a page to read: each with its idea and its question, and the way to do it. */
import { type Lesson, labs, lessons, type Question, quiz, words } from '@quorumlab/lessons';
import { type Html, html } from '../../packages/report/src/markup.ts';
import { headingOf } from './markdown.ts';
import type { Page } from './page.ts';
import { playground } from './places.ts';

/** The page of the lessons. */
export function lessonsPage(): Page {
  const told = lessons.map((lesson) => ({
    heading: {
      depth: 2,
      id: `lesson-${lesson.number}`,
      text: `${lesson.number}. ${lesson.text.title}`,
    },
    body: lessonText(lesson),
  }));
  const after = [
    { heading: { depth: 2, id: 'quiz', text: words.quiz }, body: quizText() },
    { heading: { depth: 2, id: 'labs', text: 'Labs' }, body: labsText() },
  ];
  const all = [...told, ...after];
  return {
    ...{ address: 'lessons.html', title: words.lessons, area: 'lessons' },
    source: 'packages/lessons/README.md',
    lead: words.invitation,
    headings: all.map(({ heading }) => heading),
    body: html`<p class="lead">${words.invitation}</p>
<p>A lesson asks, is paused before what decides, tells why from its run, is broken by a mutant or a
liar, and ends with an exercise that is marked by running your answer. For paper there is
<code>quorumlab lesson --sheet FILE</code>, with an answer key made by the runs.</p>
${all.map(({ heading, body }) => html`${headingOf(heading)}\n${body}`)}`,
  };
}

const lessonText = ({ number, text }: Lesson): Html => html`<p><strong>${text.idea}</strong></p>
${text.text.map((each) => html`<p>${each}</p>`)}
<p>${text.question.ask}</p>
${choices(text.question)}
<p><a href="${playground}#/learn/${number}">Do lesson ${number}: ${text.title}</a>, or in a
terminal: <code>quorumlab lesson ${number}</code></p>`;

const choices = (question: Question): Html =>
  html`<ul>${Object.values(question.choices).map((each) => html`<li>${each}</li>`)}</ul>`;

const quizText = (): Html => html`<p>${words.quizInvitation}</p>
<ol>${quiz.map(({ statement }) => html`<li>${statement}</li>`)}</ol>
<p><a href="${playground}#/learn/quiz">Do the quiz</a>, or in a terminal:
<code>quorumlab quiz</code></p>`;

const labsText = (): Html =>
  html`${labs.map(
    ({ number, title, task }) => html`<h3>${number}. ${title}</h3>
${task.map((each) => html`<p>${each}</p>`)}
<p>Begin with <code>quorumlab lab ${number}</code>.</p>`,
  )}`;
