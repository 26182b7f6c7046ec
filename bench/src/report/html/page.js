// A button that leaves only what was not met. Without scripts everything is shown, and nothing is missed.
(function () {
  var missed = document.querySelectorAll("section.is-missed").length;
  if (missed === 0) return;
  var button = document.createElement("button");
  var show = function (only) {
    document.body.classList.toggle("only-missed", only);
    button.setAttribute("aria-pressed", String(only));
    button.textContent = only ? "show all" : "show only the " + missed + " not met";
  };
  button.addEventListener("click", function () { show(!document.body.classList.contains("only-missed")); });
  show(false);
  document.querySelector("header").appendChild(button);
})();
