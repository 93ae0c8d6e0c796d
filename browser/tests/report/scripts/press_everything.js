// Everything that can be pressed, in the language that is shown, is.
const shown = [...document.querySelectorAll('button, summary')].filter((one) => one.checkVisibility());
for (const one of shown) one.click();
return shown.length;
