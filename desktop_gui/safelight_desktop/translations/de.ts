<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE" sourcelanguage="en">
<context>
    <name>Actions</name>
    <message>
        <source>File</source>
        <translation>Datei</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>Bearbeiten</translation>
    </message>
    <message>
        <source>View</source>
        <translation>Ansicht</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>Vergleichen</translation>
    </message>
    <message>
        <source>Tools</source>
        <translation>Werkzeuge</translation>
    </message>
    <message>
        <source>Restore</source>
        <translation>Restaurieren</translation>
    </message>
    <message>
        <source>Daemon</source>
        <translation>Daemon</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>Hilfe</translation>
    </message>
    <message>
        <source>Open…</source>
        <translation>Öffnen …</translation>
    </message>
    <message>
        <source>Paste as a new picture</source>
        <translation>Als neues Bild einfügen</translation>
    </message>
    <message>
        <source>Batch…</source>
        <translation>Stapel…</translation>
    </message>
    <message>
        <source>Compare with a file…</source>
        <translation>Mit einer Datei vergleichen …</translation>
    </message>
    <message>
        <source>Save as…</source>
        <translation>Speichern unter …</translation>
    </message>
    <message>
        <source>Save the project</source>
        <translation>Projekt speichern</translation>
    </message>
    <message>
        <source>Save the project as…</source>
        <translation>Projekt speichern unter …</translation>
    </message>
    <message>
        <source>Close the picture</source>
        <translation>Bild schließen</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>Wiederherstellen</translation>
    </message>
    <message>
        <source>New region in the middle of the view</source>
        <translation>Neuer Bereich in der Mitte der Ansicht</translation>
    </message>
    <message>
        <source>Remove the region</source>
        <translation>Bereich entfernen</translation>
    </message>
    <message>
        <source>Next region</source>
        <translation>Nächster Bereich</translation>
    </message>
    <message>
        <source>Previous region</source>
        <translation>Voriger Bereich</translation>
    </message>
    <message>
        <source>Preferences…</source>
        <translation>Einstellungen …</translation>
    </message>
    <message>
        <source>Zoom in</source>
        <translation>Vergrößern</translation>
    </message>
    <message>
        <source>Zoom out</source>
        <translation>Verkleinern</translation>
    </message>
    <message>
        <source>Whole picture</source>
        <translation>Ganzes Bild</translation>
    </message>
    <message>
        <source>100 %</source>
        <translation>100 %</translation>
    </message>
    <message>
        <source>Whole picture or 100 % at the pointer</source>
        <translation>Ganzes Bild oder 100 % am Zeiger</translation>
    </message>
    <message>
        <source>Show or hide the side bar</source>
        <translation>Seitenleiste ein oder aus</translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation>Vollbild</translation>
    </message>
    <message>
        <source>Split</source>
        <translation>Geteilt</translation>
    </message>
    <message>
        <source>Side by side</source>
        <translation>Nebeneinander</translation>
    </message>
    <message>
        <source>Blink</source>
        <translation>Blinken</translation>
    </message>
    <message>
        <source>Difference</source>
        <translation>Unterschied</translation>
    </message>
    <message>
        <source>After only</source>
        <translation>Nur nachher</translation>
    </message>
    <message>
        <source>Map: what contradicts the original</source>
        <translation>Karte: was dem Original widerspricht</translation>
    </message>
    <message>
        <source>Map: detail that was invented</source>
        <translation>Karte: was erfunden wurde</translation>
    </message>
    <message>
        <source>Map: where renditions disagree</source>
        <translation>Karte: wo Fassungen sich unterscheiden</translation>
    </message>
    <message>
        <source>Blink on or off</source>
        <translation>Blinken ein oder aus</translation>
    </message>
    <message>
        <source>Flip the direction</source>
        <translation>Richtung wechseln</translation>
    </message>
    <message>
        <source>Hand: pan, move and resize regions</source>
        <translation>Hand: Bild schieben, Bereiche ändern</translation>
    </message>
    <message>
        <source>Rectangle</source>
        <translation>Rechteck</translation>
    </message>
    <message>
        <source>Lasso</source>
        <translation>Lasso</translation>
    </message>
    <message>
        <source>Mask brush</source>
        <translation>Maskenpinsel</translation>
    </message>
    <message>
        <source>Mask eraser</source>
        <translation>Maskenradierer</translation>
    </message>
    <message>
        <source>Strength brush</source>
        <translation>Stärkepinsel</translation>
    </message>
    <message>
        <source>Smaller brush</source>
        <translation>Kleinerer Pinsel</translation>
    </message>
    <message>
        <source>Larger brush</source>
        <translation>Größerer Pinsel</translation>
    </message>
    <message>
        <source>Harder brush</source>
        <translation>Härterer Pinsel</translation>
    </message>
    <message>
        <source>Softer brush</source>
        <translation>Weicherer Pinsel</translation>
    </message>
    <message>
        <source>Restore with every installed pipeline</source>
        <translation>Mit jeder installierten Pipeline restaurieren</translation>
    </message>
    <message>
        <source>Try half, automatic and double working scale</source>
        <translation>Halben, automatischen, doppelten Arbeitsmaßstab probieren</translation>
    </message>
    <message>
        <source>New seed</source>
        <translation>Neuer Startwert</translation>
    </message>
    <message>
        <source>Cancel what runs</source>
        <translation>Laufendes abbrechen</translation>
    </message>
    <message>
        <source>Checkpoints…</source>
        <translation>Checkpoints …</translation>
    </message>
    <message>
        <source>What is loaded…</source>
        <translation>Was geladen ist …</translation>
    </message>
    <message>
        <source>Unload everything now</source>
        <translation>Alles jetzt entladen</translation>
    </message>
    <message>
        <source>Doctor, log and report…</source>
        <translation>Prüfung, Protokoll und Bericht …</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>Tastenkürzel</translation>
    </message>
    <message>
        <source>About Safelight</source>
        <translation>Über Safelight</translation>
    </message>
</context>
<context>
    <name>Batch</name>
    <message>
        <source>Pictures of the batch</source>
        <translation>Bilder des Stapels</translation>
    </message>
    <message>
        <source>Show the result</source>
        <translation>Ergebnis zeigen</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Noch einmal versuchen</translation>
    </message>
    <message>
        <source>Move to the top</source>
        <translation>An den Anfang</translation>
    </message>
    <message>
        <source>Move to the end</source>
        <translation>Ans Ende</translation>
    </message>
    <message>
        <source>Remove from the list</source>
        <translation>Aus der Liste nehmen</translation>
    </message>
    <message>
        <source>Beside the originals</source>
        <translation>Neben die Originale</translation>
    </message>
    <message>
        <source>In a folder</source>
        <translation>In einen Ordner</translation>
    </message>
    <message>
        <source>Make the folders of the originals there</source>
        <translation>Ordner der Originale dort anlegen</translation>
    </message>
    <message>
        <source>Name of a result</source>
        <translation>Name eines Ergebnisses</translation>
    </message>
    <message>
        <source>{name}: the picture&apos;s own name. {folder}, {pipeline} and {scale} can be used as well.</source>
        <translation>{name}: der Name des Bildes. {folder}, {pipeline} und {scale} gehen auch.</translation>
    </message>
    <message>
        <source>As the original</source>
        <translation>Wie das Original</translation>
    </message>
    <message>
        <source>Say in the files what was restored</source>
        <translation>In den Dateien festhalten, was getan wurde</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>Format</source>
        <translation>Format</translation>
    </message>
    <message>
        <source>Metadata</source>
        <translation>Metadaten</translation>
    </message>
    <message>
        <source>If there</source>
        <translation>Schon da</translation>
    </message>
    <message>
        <source>Folder of the results</source>
        <translation>Ordner der Ergebnisse</translation>
    </message>
    <message>
        <source>For example {file}</source>
        <translation>Zum Beispiel {file}</translation>
    </message>
    <message>
        <source>Skip the picture</source>
        <translation>Bild überspringen</translation>
    </message>
    <message>
        <source>Replace Safelight&apos;s result</source>
        <translation>Safelights Ergebnis ersetzen</translation>
    </message>
    <message>
        <source>Give a number</source>
        <translation>Mit Nummer daneben</translation>
    </message>
    <message>
        <source>Pause to change how the rest is restored.</source>
        <translation>Anhalten, um für den Rest etwas zu ändern.</translation>
    </message>
    <message>
        <source>Run on the battery too</source>
        <translation>Auch im Akkubetrieb</translation>
    </message>
    <message>
        <source>Start</source>
        <translation>Starten</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>Try {n} pictures</source>
        <translation>{n} Bilder testen</translation>
    </message>
    <message>
        <source>Restores a few pictures spread over the list, then stops: look at them first.</source>
        <translation>Restauriert ein paar über die Liste verteilte Bilder und hält dann an: erst diese ansehen.</translation>
    </message>
    <message>
        <source>Look at the results</source>
        <translation>Ergebnisse ansehen</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Weiter</translation>
    </message>
    <message>
        <source>{n} pictures to restore</source>
        <translation>{n} Bilder zu restaurieren</translation>
    </message>
    <message>
        <source>One picture to restore</source>
        <translation>Ein Bild zu restaurieren</translation>
    </message>
    <message>
        <source>Try {n} pictures first</source>
        <translation>Erst {n} Bilder testen</translation>
    </message>
    <message>
        <source>Use {title}</source>
        <translation>{title} nehmen</translation>
    </message>
    <message>
        <source>Results</source>
        <translation>Ergebnisse</translation>
    </message>
    <message>
        <source>Looking…</source>
        <translation>Wird angesehen …</translation>
    </message>
    <message>
        <source>Waiting to be done again</source>
        <translation>Wartet auf neuen Durchgang</translation>
    </message>
    <message>
        <source>Waiting · a result is there</source>
        <translation>Wartet · Ergebnis ist schon da</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Wartet</translation>
    </message>
    <message>
        <source>Reading</source>
        <translation>Wird gelesen</translation>
    </message>
    <message>
        <source>Restored</source>
        <translation>Restauriert</translation>
    </message>
    <message>
        <source>Restored in {time}</source>
        <translation>In {time} restauriert</translation>
    </message>
    <message>
        <source>Skipped: the result was there</source>
        <translation>Übersprungen: Ergebnis war da</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Fehlgeschlagen</translation>
    </message>
    <message>
        <source>{n} restored</source>
        <translation>{n} restauriert</translation>
    </message>
    <message>
        <source>{n} waiting</source>
        <translation>{n} warten</translation>
    </message>
    <message>
        <source>{n} skipped</source>
        <translation>{n} übersprungen</translation>
    </message>
    <message>
        <source>{n} failed</source>
        <translation>{n} fehlgeschlagen</translation>
    </message>
    <message>
        <source>Ready</source>
        <translation>Bereit</translation>
    </message>
    <message>
        <source>Restoring</source>
        <translation>Läuft</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>Angehalten</translation>
    </message>
    <message>
        <source>Paused: the machine runs on its battery</source>
        <translation>Angehalten: Akkubetrieb</translation>
    </message>
    <message>
        <source>Waiting for the daemon</source>
        <translation>Wartet auf den Dienst</translation>
    </message>
    <message>
        <source>Finished</source>
        <translation>Fertig</translation>
    </message>
    <message>
        <source>Another window of Safelight has the batch</source>
        <translation>Ein anderes Fenster von Safelight hat den Stapel</translation>
    </message>
    <message>
        <source>Trying a few pictures</source>
        <translation>Testet ein paar Bilder</translation>
    </message>
    <message>
        <source>{d} days {h} h</source>
        <translation>{d} Tage {h} h</translation>
    </message>
    <message>
        <source>today at {time}</source>
        <translation>heute um {time}</translation>
    </message>
    <message>
        <source>tomorrow at {time}</source>
        <translation>morgen um {time}</translation>
    </message>
    <message>
        <source>{day} at {time}</source>
        <translation>{day} um {time}</translation>
    </message>
    <message>
        <source>Time not known yet</source>
        <translation>Dauer noch unbekannt</translation>
    </message>
    <message>
        <source>Try a few pictures to learn it.</source>
        <translation>Ein paar Bilder testen, dann ist sie bekannt.</translation>
    </message>
    <message>
        <source>About {time}</source>
        <translation>Etwa {time}</translation>
    </message>
    <message>
        <source>Done {when}</source>
        <translation>Fertig {when}</translation>
    </message>
    <message>
        <source>Up to {needed} on the disk, {free} free</source>
        <translation>Bis zu {needed} auf der Platte, {free} frei</translation>
    </message>
    <message>
        <source>{title} needs {time} for this batch.</source>
        <translation>{title} braucht für diesen Stapel {time}.</translation>
    </message>
    <message>
        <source>{title} would need about {time}.</source>
        <translation>{title} bräuchte etwa {time}.</translation>
    </message>
    <message>
        <source>{title} is lighter; how long it takes here is not known yet.</source>
        <translation>{title} ist genügsamer; wie lange es hier braucht, ist noch nicht bekannt.</translation>
    </message>
    <message>
        <source>Progress of the batch</source>
        <translation>Fortschritt des Stapels</translation>
    </message>
    <message>
        <source>Add a folder of pictures</source>
        <translation>Ordner mit Bildern hinzufügen</translation>
    </message>
    <message>
        <source>Add pictures</source>
        <translation>Bilder hinzufügen</translation>
    </message>
    <message>
        <source>Add a folder…</source>
        <translation>Ordner hinzufügen …</translation>
    </message>
    <message>
        <source>Add pictures…</source>
        <translation>Bilder hinzufügen …</translation>
    </message>
    <message>
        <source>Move up</source>
        <translation>Nach oben</translation>
    </message>
    <message>
        <source>Move down</source>
        <translation>Nach unten</translation>
    </message>
    <message>
        <source>Try failed ones again</source>
        <translation>Fehlgeschlagene noch einmal</translation>
    </message>
    <message>
        <source>Remove finished ones</source>
        <translation>Fertige aus der Liste nehmen</translation>
    </message>
    <message>
        <source>{time} left, done {when}</source>
        <translation>noch {time}, fertig {when}</translation>
    </message>
    <message>
        <source>The batch is open in another window</source>
        <translation>Der Stapel ist in einem anderen Fenster offen</translation>
    </message>
    <message>
        <source>Safelight runs twice: look there, or close that one first.</source>
        <translation>Safelight läuft zweimal: dort nachsehen oder jenes erst schließen.</translation>
    </message>
    <message>
        <source>Drop folders or pictures here</source>
        <translation>Ordner oder Bilder hierher ziehen</translation>
    </message>
    <message>
        <source>They are restored one after the other, also after a restart.
The originals stay as they are.</source>
        <translation>Sie werden nacheinander restauriert, auch nach einem Neustart.
Die Originale bleiben, wie sie sind.</translation>
    </message>
    <message>
        <source>Queue</source>
        <translation>Warteschlange</translation>
    </message>
    <message>
        <source>Contact sheet</source>
        <translation>Kontaktbogen</translation>
    </message>
    <message>
        <source>{n} pictures were left out: they are in the list, or are results of it</source>
        <translation>{n} Bilder wurden ausgelassen: sie stehen in der Liste oder sind Ergebnisse daraus</translation>
    </message>
    <message>
        <source>The list of the last batch could not be read and was set aside</source>
        <translation>Die Liste des letzten Stapels war nicht lesbar und wurde beiseitegelegt</translation>
    </message>
    <message>
        <source>The trial is over: look at the contact sheet, then start the rest</source>
        <translation>Der Test ist vorbei: den Kontaktbogen ansehen, dann den Rest starten</translation>
    </message>
    <message>
        <source>Batch – Safelight</source>
        <translation>Stapel – Safelight</translation>
    </message>
    <message>
        <source>Show the batch</source>
        <translation>Stapel zeigen</translation>
    </message>
    <message>
        <source>A batch is running</source>
        <translation>Ein Stapel läuft</translation>
    </message>
    <message>
        <source>The batch is not finished. Close Safelight all the same?</source>
        <translation>Der Stapel ist nicht fertig. Safelight trotzdem schließen?</translation>
    </message>
    <message>
        <source>It goes on where it was when Safelight is started again.</source>
        <translation>Beim nächsten Start geht es an derselben Stelle weiter.</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Let it run</source>
        <translation>Weiterlaufen lassen</translation>
    </message>
    <message>
        <source>Batch: {done} of {all}</source>
        <translation>Stapel: {done} von {all}</translation>
    </message>
    <message>
        <source>The batch is finished: {what}</source>
        <translation>Der Stapel ist fertig: {what}</translation>
    </message>
</context>
<context>
    <name>Brush</name>
    <message>
        <source>Strength</source>
        <translation>Stärke</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>Feather</source>
        <translation>Weiche Kante</translation>
    </message>
</context>
<context>
    <name>Canvas</name>
    <message>
        <source>Picture</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>Restoring…</source>
        <translation>Wird restauriert …</translation>
    </message>
    <message>
        <source>Approximate</source>
        <translation>Ungefähr</translation>
    </message>
    <message>
        <source>Exact</source>
        <translation>Genau</translation>
    </message>
    <message>
        <source>Original</source>
        <translation>Original</translation>
    </message>
    <message>
        <source>After</source>
        <translation>Nachher</translation>
    </message>
    <message>
        <source>Difference × {gain}</source>
        <translation>Unterschied × {gain}</translation>
    </message>
</context>
<context>
    <name>Checkpoints</name>
    <message>
        <source>Licence: {title}</source>
        <translation>Lizenz: {title}</translation>
    </message>
    <message>
        <source>Progress of {title}</source>
        <translation>Fortschritt von {title}</translation>
    </message>
    <message>
        <source>Install…</source>
        <translation>Installieren …</translation>
    </message>
    <message>
        <source>Import</source>
        <translation>Importieren</translation>
    </message>
    <message>
        <source>Verify</source>
        <translation>Prüfen</translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation>Entfernen …</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>A file…</source>
        <translation>Eine Datei …</translation>
    </message>
    <message>
        <source>A folder…</source>
        <translation>Einen Ordner …</translation>
    </message>
    <message>
        <source>for {pipelines}</source>
        <translation>für {pipelines}</translation>
    </message>
    <message>
        <source>{done} of {total}</source>
        <translation>{done} von {total}</translation>
    </message>
    <message>
        <source>Installed, not the authors&apos; own file</source>
        <translation>Installiert, nicht die Datei der Autoren</translation>
    </message>
    <message>
        <source>Installed</source>
        <translation>Installiert</translation>
    </message>
    <message>
        <source>No pipeline of this version uses it yet</source>
        <translation>Noch von keiner Pipeline dieser Version gebraucht</translation>
    </message>
    <message>
        <source>To be downloaded by hand and imported: {source}</source>
        <translation>Von Hand herunterzuladen und zu importieren: {source}</translation>
    </message>
    <message>
        <source>Not installed</source>
        <translation>Nicht installiert</translation>
    </message>
    <message>
        <source>Waits for the download before it</source>
        <translation>Wartet auf den Download davor</translation>
    </message>
    <message>
        <source>Asking for it</source>
        <translation>Wird angefragt</translation>
    </message>
    <message>
        <source>Downloading</source>
        <translation>Wird heruntergeladen</translation>
    </message>
    <message>
        <source>Checking</source>
        <translation>Wird geprüft</translation>
    </message>
    <message>
        <source>Converting</source>
        <translation>Wird umgewandelt</translation>
    </message>
    <message>
        <source>Copying</source>
        <translation>Wird kopiert</translation>
    </message>
    <message>
        <source>Importing</source>
        <translation>Wird importiert</translation>
    </message>
    <message>
        <source>Removing</source>
        <translation>Wird entfernt</translation>
    </message>
    <message>
        <source>Install for a pipeline</source>
        <translation>Für eine Pipeline installieren</translation>
    </message>
    <message>
        <source>Import {title}</source>
        <translation>{title} importieren</translation>
    </message>
    <message>
        <source>Remove {title}? It can be installed again.</source>
        <translation>{title} entfernen? Es lässt sich wieder installieren.</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>{folder}: {used} used, {free} free</source>
        <translation>{folder}: {used} belegt, {free} frei</translation>
    </message>
    <message>
        <source>Asking the daemon…</source>
        <translation>Der Daemon wird gefragt …</translation>
    </message>
    <message>
        <source>Installed; all files are as they were installed</source>
        <translation>Installiert; alle Dateien sind unverändert</translation>
    </message>
    <message>
        <source>Install</source>
        <translation>Installieren</translation>
    </message>
    <message>
        <source>{needed} to download, {free} free on the disk of the daemon.</source>
        <translation>{needed} herunterzuladen, {free} frei auf dem Datenträger des Daemons.</translation>
    </message>
    <message>
        <source>Text of the licence {title}</source>
        <translation>Text der Lizenz {title}</translation>
    </message>
    <message>
        <source>Accepted on this machine before.</source>
        <translation>Auf diesem Rechner schon angenommen.</translation>
    </message>
    <message>
        <source>I have read this licence and accept it</source>
        <translation>Ich habe diese Lizenz gelesen und nehme sie an</translation>
    </message>
</context>
<context>
    <name>Compare</name>
    <message>
        <source>Divider</source>
        <translation>Trennlinie</translation>
    </message>
    <message>
        <source>Amplified</source>
        <translation>Verstärkt</translation>
    </message>
    <message>
        <source>Every</source>
        <translation>Alle</translation>
    </message>
    <message>
        <source>Before drawn</source>
        <translation>Vorher gezeichnet</translation>
    </message>
    <message>
        <source>Contradicts the original</source>
        <translation>Widerspricht dem Original</translation>
    </message>
    <message>
        <source>Invented</source>
        <translation>Erfunden</translation>
    </message>
    <message>
        <source>Renditions disagree</source>
        <translation>Fassungen unterscheiden sich</translation>
    </message>
    <message>
        <source>{map}: being measured…</source>
        <translation>{map}: wird gemessen …</translation>
    </message>
    <message>
        <source>{map}: stands out in {share} % of the pixels</source>
        <translation>{map}: deutlich in {share} % der Bildpunkte</translation>
    </message>
    <message>
        <source>{map}: needs two renditions of the same size</source>
        <translation>{map}: braucht zwei gleich große Fassungen</translation>
    </message>
</context>
<context>
    <name>Daemon</name>
    <message>
        <source>Checkpoints and daemon</source>
        <translation>Checkpoints und Daemon</translation>
    </message>
    <message>
        <source>Checkpoints</source>
        <translation>Checkpoints</translation>
    </message>
    <message>
        <source>Loaded</source>
        <translation>Geladen</translation>
    </message>
    <message>
        <source>Doctor</source>
        <translation>Prüfung</translation>
    </message>
    <message>
        <source>Install…</source>
        <translation>Installieren …</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Noch einmal versuchen</translation>
    </message>
    <message>
        <source>Open the log</source>
        <translation>Protokoll öffnen</translation>
    </message>
</context>
<context>
    <name>Doctor</name>
    <message>
        <source>Check again</source>
        <translation>Noch einmal prüfen</translation>
    </message>
    <message>
        <source>Open the log</source>
        <translation>Protokoll öffnen</translation>
    </message>
    <message>
        <source>Copy the log</source>
        <translation>Protokoll kopieren</translation>
    </message>
    <message>
        <source>Copy a report</source>
        <translation>Bericht kopieren</translation>
    </message>
    <message>
        <source>Versions, findings and the end of the log, without names of files</source>
        <translation>Versionen, Befunde und das Ende des Protokolls, ohne Dateinamen</translation>
    </message>
    <message>
        <source>Checking…</source>
        <translation>Wird geprüft …</translation>
    </message>
    <message>
        <source>To be fixed: {count}</source>
        <translation>Zu beheben: {count}</translation>
    </message>
    <message>
        <source>All is well</source>
        <translation>Alles in Ordnung</translation>
    </message>
    <message>
        <source>to be fixed</source>
        <translation>zu beheben</translation>
    </message>
    <message>
        <source>in order</source>
        <translation>in Ordnung</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>Kopiert</translation>
    </message>
</context>
<context>
    <name>Empty</name>
    <message>
        <source>Drop a picture here</source>
        <translation>Bild hier ablegen</translation>
    </message>
    <message>
        <source>or paste one with Ctrl+V</source>
        <translation>oder mit Strg+V einfügen</translation>
    </message>
    <message>
        <source>Open a picture…</source>
        <translation>Bild öffnen …</translation>
    </message>
    <message>
        <source>Restore whole folders…</source>
        <translation>Ganze Ordner restaurieren …</translation>
    </message>
    <message>
        <source>Go on with</source>
        <translation>Weitermachen mit</translation>
    </message>
    <message>
        <source>Recent</source>
        <translation>Zuletzt geöffnet</translation>
    </message>
    <message>
        <source>Opening {name}…</source>
        <translation>{name} wird geöffnet …</translation>
    </message>
    <message>
        <source>Give this work up</source>
        <translation>Diese Arbeit verwerfen</translation>
    </message>
    <message>
        <source>Give the work on {name} up</source>
        <translation>Die Arbeit an {name} verwerfen</translation>
    </message>
    <message>
        <source>regions: {count}</source>
        <translation>Bereiche: {count}</translation>
    </message>
    <message>
        <source>results: {count}</source>
        <translation>Ergebnisse: {count}</translation>
    </message>
</context>
<context>
    <name>Errors</name>
    <message>
        <source>The picture could not be opened</source>
        <translation>Das Bild konnte nicht geöffnet werden</translation>
    </message>
    <message>
        <source>The picture could not be saved</source>
        <translation>Das Bild konnte nicht gespeichert werden</translation>
    </message>
    <message>
        <source>This cannot be restored as it is set</source>
        <translation>So eingestellt lässt sich das nicht restaurieren</translation>
    </message>
    <message>
        <source>It is not there any more</source>
        <translation>Das gibt es nicht mehr</translation>
    </message>
    <message>
        <source>The pipeline is not ready</source>
        <translation>Die Pipeline ist nicht bereit</translation>
    </message>
    <message>
        <source>The daemon did not let us in</source>
        <translation>Der Daemon hat den Zugang verweigert</translation>
    </message>
    <message>
        <source>It is too much for this machine now</source>
        <translation>Das ist für diesen Rechner gerade zu viel</translation>
    </message>
    <message>
        <source>The daemon cannot be reached</source>
        <translation>Der Daemon ist nicht erreichbar</translation>
    </message>
    <message>
        <source>The result failed its checks</source>
        <translation>Das Ergebnis hat die Prüfung nicht bestanden</translation>
    </message>
    <message>
        <source>Something went wrong</source>
        <translation>Etwas ist schiefgegangen</translation>
    </message>
</context>
<context>
    <name>Helps</name>
    <message>
        <source>Open the log</source>
        <translation>Protokoll öffnen</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Erneut versuchen</translation>
    </message>
    <message>
        <source>Unload everything</source>
        <translation>Alles entladen</translation>
    </message>
    <message>
        <source>Use smaller tiles</source>
        <translation>Kleinere Kacheln nehmen</translation>
    </message>
    <message>
        <source>Install…</source>
        <translation>Installieren …</translation>
    </message>
    <message>
        <source>Copy a report</source>
        <translation>Bericht kopieren</translation>
    </message>
</context>
<context>
    <name>Loaded</name>
    <message>
        <source>Unload everything now</source>
        <translation>Alles jetzt entladen</translation>
    </message>
    <message>
        <source>Remove them now</source>
        <translation>Jetzt entfernen</translation>
    </message>
    <message>
        <source>Remove kept results now</source>
        <translation>Aufbewahrte Ergebnisse jetzt entfernen</translation>
    </message>
    <message>
        <source>There is no connection to a daemon.</source>
        <translation>Es besteht keine Verbindung zu einem Daemon.</translation>
    </message>
    <message>
        <source>{device}: {free} of {all} free. The daemon uses {used} of host memory.</source>
        <translation>{device}: {free} von {all} frei. Der Daemon belegt {used} Arbeitsspeicher.</translation>
    </message>
    <message>
        <source>shared by {pipelines}</source>
        <translation>gemeinsam für {pipelines}</translation>
    </message>
    <message>
        <source>Nothing is loaded. A pipeline is loaded when it is first used.</source>
        <translation>Nichts ist geladen. Eine Pipeline wird geladen, wenn sie zum ersten Mal gebraucht wird.</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Behalten</translation>
    </message>
    <message>
        <source>Keep {title} loaded</source>
        <translation>{title} geladen lassen</translation>
    </message>
    <message>
        <source>Unload now</source>
        <translation>Jetzt entladen</translation>
    </message>
    <message>
        <source>Unload {title} now</source>
        <translation>{title} jetzt entladen</translation>
    </message>
    <message>
        <source>in use</source>
        <translation>in Gebrauch</translation>
    </message>
    <message>
        <source>until you unload it</source>
        <translation>bis zum Entladen von Hand</translation>
    </message>
    <message>
        <source>until {time}</source>
        <translation>bis {time}</translation>
    </message>
    <message>
        <source>The daemon keeps no results on its disk.</source>
        <translation>Der Daemon bewahrt keine Ergebnisse auf dem Datenträger auf.</translation>
    </message>
    <message>
        <source>Results that are kept on the disk: {count}, {used} of at most {all}.</source>
        <translation>Aufbewahrte Ergebnisse auf dem Datenträger: {count}, {used} von höchstens {all}.</translation>
    </message>
</context>
<context>
    <name>Messages</name>
    <message>
        <source>Close this message</source>
        <translation>Diese Meldung schließen</translation>
    </message>
</context>
<context>
    <name>Notices</name>
    <message>
        <source>{name} is restored</source>
        <translation>{name} ist restauriert</translation>
    </message>
    <message>
        <source>{name} was not restored</source>
        <translation>{name} wurde nicht restauriert</translation>
    </message>
</context>
<context>
    <name>Preferences</name>
    <message>
        <source>Preferences</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Saving</source>
        <translation>Speichern</translation>
    </message>
    <message>
        <source>Daemon</source>
        <translation>Daemon</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
    <message>
        <source>sRGB</source>
        <translation>sRGB</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>Farbschema</translation>
    </message>
    <message>
        <source>As the original</source>
        <translation>Wie das Original</translation>
    </message>
    <message>
        <source>Say in saved files what was restored, and how</source>
        <translation>In gespeicherten Dateien festhalten, was wie restauriert wurde</translation>
    </message>
    <message>
        <source>Format</source>
        <translation>Format</translation>
    </message>
    <message>
        <source>Metadata</source>
        <translation>Metadaten</translation>
    </message>
    <message>
        <source>On this machine; started when it is needed</source>
        <translation>Auf diesem Rechner; startet bei Bedarf</translation>
    </message>
    <message>
        <source>On another machine</source>
        <translation>Auf einem anderen Rechner</translation>
    </message>
    <message>
        <source>Address and port</source>
        <translation>Adresse und Port</translation>
    </message>
    <message>
        <source>File with its token</source>
        <translation>Datei mit seinem Token</translation>
    </message>
    <message>
        <source>Its certificate authority</source>
        <translation>Seine Zertifizierungsstelle</translation>
    </message>
    <message>
        <source>Our certificate</source>
        <translation>Unser Zertifikat</translation>
    </message>
    <message>
        <source>Our key</source>
        <translation>Unser Schlüssel</translation>
    </message>
    <message>
        <source>Connect</source>
        <translation>Verbinden</translation>
    </message>
    <message>
        <source>Keep at most</source>
        <translation>Höchstens aufbewahren:</translation>
    </message>
    <message>
        <source>nothing</source>
        <translation>nichts</translation>
    </message>
    <message>
        <source>Megabytes of results that are kept</source>
        <translation>Megabytes an aufbewahrten Ergebnissen</translation>
    </message>
    <message>
        <source>Remove them now</source>
        <translation>Jetzt entfernen</translation>
    </message>
    <message>
        <source>Restart the daemon</source>
        <translation>Daemon neu starten</translation>
    </message>
    <message>
        <source>Results on the disk</source>
        <translation>Ergebnisse auf dem Datenträger</translation>
    </message>
    <message>
        <source>Notify when a long job is over</source>
        <translation>Melden, wenn ein langer Auftrag fertig ist</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>Wählen …</translation>
    </message>
    <message>
        <source>The language changes when Safelight is started again.</source>
        <translation>Die Sprache wechselt beim nächsten Start von Safelight.</translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation>Erscheinungsbild</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Sprache</translation>
    </message>
    <message>
        <source>Profile of the screen</source>
        <translation>Profil des Bildschirms</translation>
    </message>
    <message>
        <source>Colour profiles</source>
        <translation>Farbprofile</translation>
    </message>
    <message>
        <source>This profile cannot be used: sRGB is.</source>
        <translation>Dieses Profil ist nicht brauchbar: Es gilt sRGB.</translation>
    </message>
</context>
<context>
    <name>Redo</name>
    <message>
        <source>Restore again</source>
        <translation>Noch einmal restaurieren</translation>
    </message>
    <message>
        <source>Restore it again</source>
        <translation>Noch einmal restaurieren</translation>
    </message>
    <message>
        <source>Restore {n} pictures again</source>
        <translation>{n} Bilder noch einmal restaurieren</translation>
    </message>
</context>
<context>
    <name>Regions</name>
    <message>
        <source>Whole picture</source>
        <translation>Ganzes Bild</translation>
    </message>
    <message>
        <source>Region {number}</source>
        <translation>Bereich {number}</translation>
    </message>
    <message>
        <source>Regions</source>
        <translation>Bereiche</translation>
    </message>
    <message>
        <source>Left</source>
        <translation>Links</translation>
    </message>
    <message>
        <source>Top</source>
        <translation>Oben</translation>
    </message>
    <message>
        <source>Width</source>
        <translation>Breite</translation>
    </message>
    <message>
        <source>Height</source>
        <translation>Höhe</translation>
    </message>
    <message>
        <source>Very small: details will be invented, and letters may change.</source>
        <translation>Sehr klein: Einzelheiten werden erfunden, Buchstaben können sich ändern.</translation>
    </message>
</context>
<context>
    <name>Renditions</name>
    <message>
        <source>Renditions</source>
        <translation>Fassungen</translation>
    </message>
    <message>
        <source>Restore with other pipelines or settings: each result is kept here.</source>
        <translation>Mit anderen Pipelines oder Werten restaurieren: Jedes Ergebnis bleibt hier.</translation>
    </message>
    <message>
        <source>Compared with this one</source>
        <translation>Damit wird verglichen</translation>
    </message>
    <message>
        <source>Made before the region was moved: restore it again</source>
        <translation>Vor dem Verschieben des Bereichs entstanden: neu restaurieren</translation>
    </message>
    <message>
        <source>seed {seed}</source>
        <translation>Startwert {seed}</translation>
    </message>
    <message>
        <source>default settings</source>
        <translation>Standardwerte</translation>
    </message>
</context>
<context>
    <name>Run</name>
    <message>
        <source>Restore</source>
        <translation>Restaurieren</translation>
    </message>
    <message>
        <source>More ways to restore</source>
        <translation>Weitere Arten zu restaurieren</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>Fortschritt</translation>
    </message>
    <message>
        <source>Cancelling…</source>
        <translation>Wird abgebrochen …</translation>
    </message>
    <message>
        <source>Sending…</source>
        <translation>Wird gesendet …</translation>
    </message>
    <message>
        <source>{count} more waiting</source>
        <translation>{count} weitere warten</translation>
    </message>
    <message>
        <source>Result {size}, {bytes}</source>
        <translation>Ergebnis {size}, {bytes}</translation>
    </message>
    <message>
        <source>time not known yet</source>
        <translation>Dauer noch unbekannt</translation>
    </message>
    <message>
        <source>about {time}</source>
        <translation>etwa {time}</translation>
    </message>
    <message>
        <source>tiles: {count}</source>
        <translation>Kacheln: {count}</translation>
    </message>
    <message>
        <source>memory {bytes}</source>
        <translation>Speicher {bytes}</translation>
    </message>
    <message>
        <source>is loaded first</source>
        <translation>wird erst geladen</translation>
    </message>
    <message>
        <source>tile {done} of {tiles}</source>
        <translation>Kachel {done} von {tiles}</translation>
    </message>
    <message>
        <source>{time} left</source>
        <translation>noch {time}</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Wartet</translation>
    </message>
    <message>
        <source>Sending</source>
        <translation>Sendet</translation>
    </message>
    <message>
        <source>Loading the pipeline</source>
        <translation>Lädt die Pipeline</translation>
    </message>
    <message>
        <source>Preparing</source>
        <translation>Bereitet vor</translation>
    </message>
    <message>
        <source>Looking at the picture</source>
        <translation>Sieht sich das Bild an</translation>
    </message>
    <message>
        <source>Encoding</source>
        <translation>Kodiert</translation>
    </message>
    <message>
        <source>Restoring</source>
        <translation>Restauriert</translation>
    </message>
    <message>
        <source>Finishing</source>
        <translation>Schließt ab</translation>
    </message>
</context>
<context>
    <name>Save</name>
    <message>
        <source>Save the picture</source>
        <translation>Bild speichern</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>Wählen …</translation>
    </message>
    <message>
        <source>Say in the file what was restored, and how</source>
        <translation>In der Datei festhalten, was wie restauriert wurde</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Datei</translation>
    </message>
    <message>
        <source>Format</source>
        <translation>Format</translation>
    </message>
    <message>
        <source>Metadata</source>
        <translation>Metadaten</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>This file exists and will be replaced.</source>
        <translation>Diese Datei gibt es schon, sie wird ersetzt.</translation>
    </message>
    <message>
        <source>This is the original, which is never overwritten: choose another name.</source>
        <translation>Das ist das Original, es wird nie überschrieben: anderen Namen wählen.</translation>
    </message>
    <message>
        <source>picture</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>{stem}-restored</source>
        <translation>{stem}-restauriert</translation>
    </message>
    <message>
        <source>8 bit</source>
        <translation>8 Bit</translation>
    </message>
    <message>
        <source>16 bit</source>
        <translation>16 Bit</translation>
    </message>
    <message>
        <source>32-bit float</source>
        <translation>32-Bit-Gleitkomma</translation>
    </message>
    <message>
        <source>with its colour profile</source>
        <translation>mit seinem Farbprofil</translation>
    </message>
    <message>
        <source>Keep everything</source>
        <translation>Alles behalten</translation>
    </message>
    <message>
        <source>Without the place</source>
        <translation>Ohne Ortsangaben</translation>
    </message>
    <message>
        <source>None</source>
        <translation>Keine</translation>
    </message>
</context>
<context>
    <name>Schema</name>
    <message>
        <source>0 is faithful: closest to what the camera saw; 1 is crisp: sharper edges, a little less true.</source>
        <translation>0 ist treu: am nächsten an dem, was die Kamera sah; 1 ist scharf: schärfere Kanten, etwas weniger getreu.</translation>
    </message>
    <message>
        <source>Adds grain measured around the region, so that restored parts do not look smoother than the rest.</source>
        <translation>Fügt Korn hinzu, das um den Bereich herum gemessen wird, damit Restauriertes nicht glatter aussieht als der Rest.</translation>
    </message>
    <message>
        <source>Arithmetic of the network; auto chooses by measurement.</source>
        <translation>Rechengenauigkeit des Netzes; auto wählt durch Messen.</translation>
    </message>
    <message>
        <source>As the authors</source>
        <translation>Wie die Autoren</translation>
    </message>
    <message>
        <source>As the authors&apos; option: in tiles always, never, or where a side is longer than 1024 pixels; used with authors_exact only.</source>
        <translation>Wie die Option der Autoren: immer, nie oder ab 1024 Pixel Seitenlänge in Kacheln; nur zusammen mit „Wie das Skript der Autoren“.</translation>
    </message>
    <message>
        <source>As the authors&apos; script</source>
        <translation>Wie das Skript der Autoren</translation>
    </message>
    <message>
        <source>As the authors&apos; script: a picture whose short side would be smaller for the network is enlarged first; used with authors_exact only.</source>
        <translation>Wie im Skript der Autoren: Ein Bild, dessen kurze Seite für das Netz kleiner wäre, wird zuerst vergrößert; nur zusammen mit „Wie das Skript der Autoren“.</translation>
    </message>
    <message>
        <source>Blur</source>
        <translation>Unschärfe</translation>
    </message>
    <message>
        <source>Captioner</source>
        <translation>Bildbeschreiber</translation>
    </message>
    <message>
        <source>Cleans and enlarges with Safelight&apos;s own small network: runs on any CPU, invents nothing.</source>
        <translation>Säubert und vergrößert mit Safelights eigenem kleinen Netz: läuft auf jedem Prozessor, erfindet nichts.</translation>
    </message>
    <message>
        <source>Colour</source>
        <translation>Farbe</translation>
    </message>
    <message>
        <source>Colour fix</source>
        <translation>Farbabgleich</translation>
    </message>
    <message>
        <source>Crisp</source>
        <translation>Scharf</translation>
    </message>
    <message>
        <source>DAPE, OSEDiff&apos;s tuning of RAM (DAPE.pth)</source>
        <translation>DAPE, OSEDiffs Abstimmung von RAM (DAPE.pth)</translation>
    </message>
    <message>
        <source>Detail</source>
        <translation>Detail</translation>
    </message>
    <message>
        <source>Diffusion steps: time grows with them, and detail up to about 20.</source>
        <translation>Diffusionsschritte: Mit ihnen wächst die Dauer, bis etwa 20 auch das Detail.</translation>
    </message>
    <message>
        <source>Encoders in tiles</source>
        <translation>Kodierer in Kacheln</translation>
    </message>
    <message>
        <source>FaithDiff (FaithDiff.bin)</source>
        <translation>FaithDiff (FaithDiff.bin)</translation>
    </message>
    <message>
        <source>Faithful</source>
        <translation>Getreu</translation>
    </message>
    <message>
        <source>Feather</source>
        <translation>Weiche Kante</translation>
    </message>
    <message>
        <source>Film still</source>
        <translation>Filmbild</translation>
    </message>
    <message>
        <source>Florence-2 base, a small captioner</source>
        <translation>Florence-2 base, ein kleiner Bildbeschreiber</translation>
    </message>
    <message>
        <source>Forbids a list of harmful uses; passes on to whoever gets the weights or what is derived from them.</source>
        <translation>Verbietet eine Liste schädlicher Verwendungen; gilt weiter für alle, die die Gewichte oder daraus Abgeleitetes erhalten.</translation>
    </message>
    <message>
        <source>Free for non-commercial use and for commercial use below a yearly revenue that the licence names.</source>
        <translation>Frei für nicht gewerbliche Nutzung und für gewerbliche unterhalb eines Jahresumsatzes, den die Lizenz nennt.</translation>
    </message>
    <message>
        <source>Fuses brighter and darker exposures of the picture before it is restored; 0 is off.</source>
        <translation>Verschmilzt vor dem Restaurieren hellere und dunklere Belichtungen des Bildes; 0 ist aus.</translation>
    </message>
    <message>
        <source>Grain</source>
        <translation>Korn</translation>
    </message>
    <message>
        <source>Guidance</source>
        <translation>Führung</translation>
    </message>
    <message>
        <source>HDR effect</source>
        <translation>HDR-Effekt</translation>
    </message>
    <message>
        <source>How a step is taken: the authors&apos; Euler, or UniPC, which looks back and gets by with fewer steps.</source>
        <translation>Wie ein Schritt gemacht wird: Euler wie bei den Autoren, oder UniPC, das zurückblickt und mit weniger Schritten auskommt.</translation>
    </message>
    <message>
        <source>How blurred the picture is, 0 to 1; -1 lets the estimator look at the region with its surroundings.</source>
        <translation>Wie unscharf das Bild ist, 0 bis 1; auto lässt den Schätzer den Bereich mit seiner Umgebung ansehen.</translation>
    </message>
    <message>
        <source>How far the result is pushed from the negative prompt; 1 is not at all and twice as fast.</source>
        <translation>Wie weit das Ergebnis vom negativen Prompt weggedrückt wird; 1 ist gar nicht und doppelt so schnell.</translation>
    </message>
    <message>
        <source>How far the result is pushed towards the prompt; 1 is not at all and twice as fast.</source>
        <translation>Wie weit das Ergebnis zum Prompt hin gedrückt wird; 1 ist gar nicht und doppelt so schnell.</translation>
    </message>
    <message>
        <source>How large the network sees the region, as a multiple of the document; 0 chooses it.</source>
        <translation>Wie groß das Netz den Bereich sieht, als Vielfaches des Dokuments; auto wählt.</translation>
    </message>
    <message>
        <source>How much of the restoration is applied.</source>
        <translation>Wie viel der Restaurierung angewandt wird.</translation>
    </message>
    <message>
        <source>How noisy the picture is, 0 to 1; -1 lets the estimator look at the region with its surroundings.</source>
        <translation>Wie verrauscht das Bild ist, 0 bis 1; auto lässt den Schätzer den Bereich mit seiner Umgebung ansehen.</translation>
    </message>
    <message>
        <source>How the UNet&apos;s numbers are kept: as they are computed with (full), in 8 bits (fp8: half the memory, a little less exact), or as the free memory suggests.</source>
        <translation>Wie die Zahlen des UNets gehalten werden: wie gerechnet wird (full), in 8 Bit (fp8: halber Speicher, etwas weniger genau), oder wie es der freie Speicher nahelegt.</translation>
    </message>
    <message>
        <source>How the result takes the input&apos;s large-area colours where it keeps its own (colour above 0): by the mean and spread of each channel (adain), by the low band (wavelet), or not at all.</source>
        <translation>Wie das Ergebnis die großflächigen Farben der Vorlage annimmt, wo es eigene behält (Farbe über 0): nach Mittel und Streuung jedes Kanals (adain), nach dem tiefen Band (wavelet) oder gar nicht.</translation>
    </message>
    <message>
        <source>LLaVA 1.5 13B, FaithDiff&apos;s captioner</source>
        <translation>LLaVA 1.5 13B, FaithDiffs Bildbeschreiber</translation>
    </message>
    <message>
        <source>Least network size</source>
        <translation>Kleinste Netzgröße</translation>
    </message>
    <message>
        <source>Least share of a tile that its neighbour covers too; time grows with it. The authors&apos; own overlap is the share that is not: their default of 0.5 is 0.5 here, their 0.9 is 0.1.</source>
        <translation>Kleinster Anteil einer Kachel, den auch die Nachbarkachel bedeckt; mit ihm wächst die Dauer. Die Autoren nennen Überlappung den Anteil, der nicht bedeckt ist: Ihre 0,5 ist hier 0,5, ihre 0,9 ist 0,1.</translation>
    </message>
    <message>
        <source>Negative prompt</source>
        <translation>Negativer Prompt</translation>
    </message>
    <message>
        <source>Noise</source>
        <translation>Rauschen</translation>
    </message>
    <message>
        <source>Noise scheduler</source>
        <translation>Rauschplan</translation>
    </message>
    <message>
        <source>Not an open-source licence: it limits some uses and very large services.</source>
        <translation>Keine Open-Source-Lizenz: Sie schränkt manche Verwendungen und sehr große Dienste ein.</translation>
    </message>
    <message>
        <source>OSEDiff (osediff.pkl)</source>
        <translation>OSEDiff (osediff.pkl)</translation>
    </message>
    <message>
        <source>OSEDiff for faces (osediff_face.pkl)</source>
        <translation>OSEDiff für Gesichter (osediff_face.pkl)</translation>
    </message>
    <message>
        <source>Of tiles that are not square, as the authors&apos; script allows; 0 is the tile size; used with authors_exact only.</source>
        <translation>Für nicht quadratische Kacheln, wie sie das Skript der Autoren erlaubt; auto ist die Kachelgröße; nur zusammen mit „Wie das Skript der Autoren“.</translation>
    </message>
    <message>
        <source>Old photograph</source>
        <translation>Altes Foto</translation>
    </message>
    <message>
        <source>One diffusion step guided by how blurred and noisy the picture is: for heavy blur, noise and JPEG.</source>
        <translation>Ein Diffusionsschritt, geführt davon, wie unscharf und verrauscht das Bild ist: für starke Unschärfe, Rauschen und JPEG.</translation>
    </message>
    <message>
        <source>One diffusion step on Stable Diffusion 2.1: sharp and natural, invents plausible detail.</source>
        <translation>Ein Diffusionsschritt mit Stable Diffusion 2.1: scharf und natürlich, erfindet glaubhafte Einzelheiten.</translation>
    </message>
    <message>
        <source>Overlap</source>
        <translation>Überlappung</translation>
    </message>
    <message>
        <source>Overlap (decode)</source>
        <translation>Überlappung (Dekodieren)</translation>
    </message>
    <message>
        <source>Overlap (encode)</source>
        <translation>Überlappung (Kodieren)</translation>
    </message>
    <message>
        <source>Overlap (predict)</source>
        <translation>Überlappung (Vorhersagen)</translation>
    </message>
    <message>
        <source>Posterior</source>
        <translation>Posterior</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>Genauigkeit</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>Prompt</translation>
    </message>
    <message>
        <source>Prompt from</source>
        <translation>Prompt aus</translation>
    </message>
    <message>
        <source>Quality prompt</source>
        <translation>Qualitäts-Prompt</translation>
    </message>
    <message>
        <source>RAM tagger (ram_swin_large_14m.pth)</source>
        <translation>Verschlagworter RAM (ram_swin_large_14m.pth)</translation>
    </message>
    <message>
        <source>RealVisXL V4.0, all but its UNet and VAE</source>
        <translation>RealVisXL V4.0 ohne UNet und VAE</translation>
    </message>
    <message>
        <source>Restore only the lightness of a toned monochrome picture, so that the toning stays even.</source>
        <translation>Bei einem getönten Schwarzweißbild nur die Helligkeit restaurieren, damit die Tönung gleichmäßig bleibt.</translation>
    </message>
    <message>
        <source>S3Diff (s3diff.pkl)</source>
        <translation>S3Diff (s3diff.pkl)</translation>
    </message>
    <message>
        <source>S3Diff&apos;s degradation estimator (de_net.pth)</source>
        <translation>S3Diffs Schätzer für Schäden (de_net.pth)</translation>
    </message>
    <message>
        <source>SD-Turbo</source>
        <translation>SD-Turbo</translation>
    </message>
    <message>
        <source>Sharpness</source>
        <translation>Schärfe</translation>
    </message>
    <message>
        <source>Side of the tiles of the stage decode; 0 is the default.</source>
        <translation>Seite der Kacheln beim Dekodieren; auto ist der Standard.</translation>
    </message>
    <message>
        <source>Side of the tiles of the stage encode; 0 is the default.</source>
        <translation>Seite der Kacheln beim Kodieren; auto ist der Standard.</translation>
    </message>
    <message>
        <source>Side of the tiles of the stage predict; 0 is the default.</source>
        <translation>Seite der Kacheln beim Vorhersagen; auto ist der Standard.</translation>
    </message>
    <message>
        <source>Side of the tiles that are diffused, up to 1280 where fewer tiles then cover the picture; larger ones need more memory and know more of the picture.</source>
        <translation>Seite der Kacheln, die diffundiert werden, bis 1280, wo dann weniger Kacheln das Bild decken; größere brauchen mehr Speicher und wissen mehr vom Bild.</translation>
    </message>
    <message>
        <source>Stable Diffusion 2.1-base</source>
        <translation>Stable Diffusion 2.1-base</translation>
    </message>
    <message>
        <source>Start from</source>
        <translation>Beginnen mit</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>Schritte</translation>
    </message>
    <message>
        <source>Strength</source>
        <translation>Stärke</translation>
    </message>
    <message>
        <source>Tag names and thresholds of RAM</source>
        <translation>Schlagwörter und Schwellen von RAM</translation>
    </message>
    <message>
        <source>The authors&apos; face checkpoint: one face in a square box, seen at 512x512.</source>
        <translation>Der Gesichts-Checkpoint der Autoren: ein Gesicht in einem Quadrat, gesehen in 512x512.</translation>
    </message>
    <message>
        <source>The authors&apos; own resampling, noise, tiles, rounding and colour fix on the selection alone, equal to their 8-bit result; strength, bands, grain, monochrome guard and feather are off.</source>
        <translation>Skalierung, Rauschen, Kacheln, Rundung und Farbabgleich der Autoren, nur auf der Auswahl, gleich ihrem 8-Bit-Ergebnis; Stärke, Bänder, Korn, Schwarzweißschutz und weiche Kante sind aus.</translation>
    </message>
    <message>
        <source>The authors&apos; own resampling, tiles, rounding and colour fix on the selection alone, equal to their 8-bit result; strength, bands, grain, monochrome guard and feather are off.</source>
        <translation>Skalierung, Kacheln, Rundung und Farbabgleich der Autoren, nur auf der Auswahl, gleich ihrem 8-Bit-Ergebnis; Stärke, Bänder, Korn, Schwarzweißschutz und weiche Kante sind aus.</translation>
    </message>
    <message>
        <source>The encoder&apos;s mean, or a sample of its distribution drawn with the seed.</source>
        <translation>Der Mittelwert des Kodierers oder eine mit dem Startwert gezogene Stichprobe seiner Verteilung.</translation>
    </message>
    <message>
        <source>The first latent: noise with a little of the picture in it, or noise alone.</source>
        <translation>Das erste Latent: Rauschen mit etwas vom Bild darin, oder nur Rauschen.</translation>
    </message>
    <message>
        <source>Tile (decode)</source>
        <translation>Kachel (Dekodieren)</translation>
    </message>
    <message>
        <source>Tile (encode)</source>
        <translation>Kachel (Kodieren)</translation>
    </message>
    <message>
        <source>Tile (predict)</source>
        <translation>Kachel (Vorhersagen)</translation>
    </message>
    <message>
        <source>Tile height</source>
        <translation>Kachelhöhe</translation>
    </message>
    <message>
        <source>Tile size</source>
        <translation>Kachelgröße</translation>
    </message>
    <message>
        <source>Toned monochrome</source>
        <translation>Getöntes Schwarzweiß</translation>
    </message>
    <message>
        <source>True overlap of the tiles of the stage decode; -1 is the default.</source>
        <translation>Wahre Überlappung der Kacheln beim Dekodieren; auto ist der Standard.</translation>
    </message>
    <message>
        <source>True overlap of the tiles of the stage encode; -1 is the default.</source>
        <translation>Wahre Überlappung der Kacheln beim Kodieren; auto ist der Standard.</translation>
    </message>
    <message>
        <source>True overlap of the tiles of the stage predict; -1 is the default.</source>
        <translation>Wahre Überlappung der Kacheln beim Vorhersagen; auto ist der Standard.</translation>
    </message>
    <message>
        <source>Twenty diffusion steps on SDXL that keep to the picture: the most detail, minutes rather than seconds.</source>
        <translation>Zwanzig Diffusionsschritte mit SDXL, die sich an das Bild halten: am meisten Detail, Minuten statt Sekunden.</translation>
    </message>
    <message>
        <source>VAE of SDXL that works in fp16</source>
        <translation>VAE von SDXL, das in fp16 rechnet</translation>
    </message>
    <message>
        <source>Weight of the low band: large-area colour and brightness as the network sees them; 0 keeps the document&apos;s.</source>
        <translation>Gewicht des tiefen Bandes: großflächige Farbe und Helligkeit, wie das Netz sie sieht; 0 behält die des Dokuments.</translation>
    </message>
    <message>
        <source>Weight of the two finest detail bands within strength.</source>
        <translation>Gewicht der beiden feinsten Detailbänder innerhalb der Stärke.</translation>
    </message>
    <message>
        <source>Weights</source>
        <translation>Gewichte</translation>
    </message>
    <message>
        <source>What the picture shows, in English.</source>
        <translation>Was das Bild zeigt, auf Englisch.</translation>
    </message>
    <message>
        <source>What the result should look like; what the picture shows comes behind it.</source>
        <translation>Wie das Ergebnis aussehen soll; was das Bild zeigt, folgt dahinter.</translation>
    </message>
    <message>
        <source>none is the authors&apos; form without tags. tags and caption are read from the picture with its surroundings, unless a prompt is typed below, which always wins; text uses the prompt below word for word.</source>
        <translation>kein ist die Form der Autoren ohne Schlagwörter. Schlagwörter und Beschreibung werden aus dem Bild mit seiner Umgebung gelesen, außer ein Prompt steht unten, der immer gilt; Text nimmt den Prompt unten Wort für Wort.</translation>
    </message>
    <message>
        <source>none leaves the prompt empty. tags and caption are read from the picture with its surroundings, unless a prompt is typed below, which always wins; text uses the prompt below word for word.</source>
        <translation>kein lässt den Prompt leer. Schlagwörter und Beschreibung werden aus dem Bild mit seiner Umgebung gelesen, außer ein Prompt steht unten, der immer gilt; Text nimmt den Prompt unten Wort für Wort.</translation>
    </message>
    <message>
        <source>none says nothing of what the picture shows. tags and caption are read from the picture with its surroundings, unless a prompt is typed below, which always wins; text uses the prompt below word for word.</source>
        <translation>kein sagt nichts darüber, was das Bild zeigt. Schlagwörter und Beschreibung werden aus dem Bild mit seiner Umgebung gelesen, außer ein Prompt steht unten, der immer gilt; Text nimmt den Prompt unten Wort für Wort.</translation>
    </message>
    <message>
        <source>What the result should not look like; not used at guidance 1.</source>
        <translation>Wie das Ergebnis nicht aussehen soll; bei Führung 1 nicht verwendet.</translation>
    </message>
    <message>
        <source>Which network writes the caption: LLaVA, FaithDiff&apos;s own, needs 27 GB; Florence-2 1 GB. auto takes LLaVA where it is installed and fits, else Florence-2.</source>
        <translation>Welches Netz das Bild beschreibt: LLaVA, FaithDiffs eigenes, braucht 27 GB; Florence-2 1 GB. auto nimmt LLaVA, wo es installiert ist und passt, sonst Florence-2.</translation>
    </message>
    <message>
        <source>Width of the soft inner edge of the region; -1 chooses it, 0 is none.</source>
        <translation>Breite der weichen inneren Kante des Bereichs; auto wählt, 0 ist keine.</translation>
    </message>
    <message>
        <source>Working scale</source>
        <translation>Arbeitsmaßstab</translation>
    </message>
    <message>
        <source>adain</source>
        <translation>adain</translation>
    </message>
    <message>
        <source>auto</source>
        <translation>auto</translation>
    </message>
    <message>
        <source>bf16</source>
        <translation>bf16</translation>
    </message>
    <message>
        <source>bicubic</source>
        <translation>bikubisch</translation>
    </message>
    <message>
        <source>caption</source>
        <translation>Beschreibung</translation>
    </message>
    <message>
        <source>cells</source>
        <translation>Zellen</translation>
    </message>
    <message>
        <source>deterministic</source>
        <translation>bestimmt</translation>
    </message>
    <message>
        <source>euler</source>
        <translation>Euler</translation>
    </message>
    <message>
        <source>florence-2-base</source>
        <translation>Florence-2 base</translation>
    </message>
    <message>
        <source>fp16</source>
        <translation>fp16</translation>
    </message>
    <message>
        <source>fp32</source>
        <translation>fp32</translation>
    </message>
    <message>
        <source>fp8</source>
        <translation>fp8</translation>
    </message>
    <message>
        <source>full</source>
        <translation>voll</translation>
    </message>
    <message>
        <source>lanczos</source>
        <translation>Lanczos</translation>
    </message>
    <message>
        <source>llava-v1.5-13b</source>
        <translation>LLaVA 1.5 13B</translation>
    </message>
    <message>
        <source>nearest</source>
        <translation>nächster Nachbar</translation>
    </message>
    <message>
        <source>noise</source>
        <translation>Rauschen</translation>
    </message>
    <message>
        <source>none</source>
        <translation>kein</translation>
    </message>
    <message>
        <source>off</source>
        <translation>aus</translation>
    </message>
    <message>
        <source>on</source>
        <translation>ein</translation>
    </message>
    <message>
        <source>picture</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>px</source>
        <translation>px</translation>
    </message>
    <message>
        <source>sampled</source>
        <translation>gezogen</translation>
    </message>
    <message>
        <source>tags</source>
        <translation>Schlagwörter</translation>
    </message>
    <message>
        <source>text</source>
        <translation>Text</translation>
    </message>
    <message>
        <source>unipc</source>
        <translation>UniPC</translation>
    </message>
    <message>
        <source>wavelet</source>
        <translation>wavelet</translation>
    </message>
</context>
<context>
    <name>Settings</name>
    <message>
        <source>Pipeline</source>
        <translation>Pipeline</translation>
    </message>
    <message>
        <source>Install…</source>
        <translation>Installieren …</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>Vorgabe</translation>
    </message>
    <message>
        <source>Output size</source>
        <translation>Ausgabegröße</translation>
    </message>
    <message>
        <source>In place</source>
        <translation>An Ort</translation>
    </message>
    <message>
        <source>Output size {scale}×</source>
        <translation>Ausgabegröße {scale}×</translation>
    </message>
    <message>
        <source>{title} (not installed)</source>
        <translation>{title} (nicht installiert)</translation>
    </message>
    <message>
        <source>It is not installed.</source>
        <translation>Sie ist nicht installiert.</translation>
    </message>
    <message>
        <source>Install {title}</source>
        <translation>{title} installieren</translation>
    </message>
    <message>
        <source>Keep or remove presets</source>
        <translation>Vorgaben behalten oder entfernen</translation>
    </message>
    <message>
        <source>Keep these values as a preset…</source>
        <translation>Diese Werte als Vorgabe behalten …</translation>
    </message>
    <message>
        <source>Remove this preset</source>
        <translation>Diese Vorgabe entfernen</translation>
    </message>
    <message>
        <source>Own values</source>
        <translation>Eigene Werte</translation>
    </message>
    <message>
        <source>Social media, JPEG</source>
        <translation>Soziale Medien, JPEG</translation>
    </message>
    <message>
        <source>Keep as a preset</source>
        <translation>Als Vorgabe behalten</translation>
    </message>
    <message>
        <source>Name of the preset</source>
        <translation>Name der Vorgabe</translation>
    </message>
    <message>
        <source>auto</source>
        <translation>auto</translation>
    </message>
    <message>
        <source>auto: {value}</source>
        <translation>auto: {value}</translation>
    </message>
    <message>
        <source>Edit this text</source>
        <translation>Diesen Text bearbeiten</translation>
    </message>
    <message>
        <source>Read it from the picture now</source>
        <translation>Jetzt aus dem Bild lesen</translation>
    </message>
    <message>
        <source>Read from the picture ({source}): {text}</source>
        <translation>Aus dem Bild gelesen ({source}): {text}</translation>
    </message>
    <message>
        <source>Found: {text}</source>
        <translation>Gefunden: {text}</translation>
    </message>
    <message>
        <source>Advanced</source>
        <translation>Erweitert</translation>
    </message>
</context>
<context>
    <name>Sheet</name>
    <message>
        <source>Results, before and after</source>
        <translation>Ergebnisse, vorher und nachher</translation>
    </message>
    <message>
        <source>Accepted</source>
        <translation>Angenommen</translation>
    </message>
    <message>
        <source>Rejected</source>
        <translation>Verworfen</translation>
    </message>
    <message>
        <source>Was there</source>
        <translation>War da</translation>
    </message>
    <message>
        <source>Before</source>
        <translation>Vorher</translation>
    </message>
    <message>
        <source>After</source>
        <translation>Nachher</translation>
    </message>
    <message>
        <source>All</source>
        <translation>Alle</translation>
    </message>
    <message>
        <source>To judge</source>
        <translation>Offen</translation>
    </message>
    <message>
        <source>Size of the pictures</source>
        <translation>Größe der Bilder</translation>
    </message>
    <message>
        <source>Accept</source>
        <translation>Annehmen</translation>
    </message>
    <message>
        <source>Redo…</source>
        <translation>Neu …</translation>
    </message>
    <message>
        <source>Reject</source>
        <translation>Verwerfen</translation>
    </message>
    <message>
        <source>Compare in the main window</source>
        <translation>Im Hauptfenster vergleichen</translation>
    </message>
    <message>
        <source>Arrows choose, Shift and Ctrl choose several. Backspace takes a verdict back. A rejected result is moved into a folder beside it; originals are never touched.</source>
        <translation>Pfeile wählen, mit Umschalt oder Strg mehrere. Rücktaste nimmt ein Urteil zurück. Verworfene Ergebnisse kommen in einen Ordner daneben; Originale bleiben unberührt.</translation>
    </message>
    <message>
        <source>Nothing here.</source>
        <translation>Nichts dabei.</translation>
    </message>
    <message>
        <source>Results appear here as they are finished.</source>
        <translation>Ergebnisse erscheinen hier, sobald sie fertig sind.</translation>
    </message>
</context>
<context>
    <name>Shortcuts</name>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>Tastenkürzel</translation>
    </message>
    <message>
        <source>On the picture</source>
        <translation>Auf dem Bild</translation>
    </message>
    <message>
        <source>Batch and contact sheet</source>
        <translation>Stapel und Kontaktbogen</translation>
    </message>
    <message>
        <source>hold {key}</source>
        <translation>{key} halten</translation>
    </message>
    <message>
        <source>Space</source>
        <translation>Leertaste</translation>
    </message>
    <message>
        <source>Show the original</source>
        <translation>Original zeigen</translation>
    </message>
    <message>
        <source>Loupe: restored pixels under the pointer</source>
        <translation>Lupe: Restauriertes unter dem Zeiger</translation>
    </message>
    <message>
        <source>Next or previous rendition (B)</source>
        <translation>Nächste oder vorige Fassung (B)</translation>
    </message>
    <message>
        <source>The one it is compared with (A)</source>
        <translation>Die, mit der verglichen wird (A)</translation>
    </message>
    <message>
        <source>Shift+↑ ↓</source>
        <translation>Umschalt+↑ ↓</translation>
    </message>
    <message>
        <source>Move the divider by 1 %, with Shift by 10 %</source>
        <translation>Trennlinie um 1 %, mit Umschalt um 10 %</translation>
    </message>
    <message>
        <source>Divider to an end</source>
        <translation>Trennlinie an ein Ende</translation>
    </message>
    <message>
        <source>Home, End</source>
        <translation>Pos1, Ende</translation>
    </message>
    <message>
        <source>Move the region by a pixel</source>
        <translation>Bereich um ein Pixel schieben</translation>
    </message>
    <message>
        <source>Ctrl+arrows</source>
        <translation>Strg+Pfeile</translation>
    </message>
    <message>
        <source>Resize the region by a pixel</source>
        <translation>Bereich um ein Pixel ändern</translation>
    </message>
    <message>
        <source>Ctrl+Shift+arrows</source>
        <translation>Strg+Umschalt+Pfeile</translation>
    </message>
    <message>
        <source>Zoom at the pointer</source>
        <translation>Zoom am Zeiger</translation>
    </message>
    <message>
        <source>wheel</source>
        <translation>Mausrad</translation>
    </message>
    <message>
        <source>Pan</source>
        <translation>Bild schieben</translation>
    </message>
    <message>
        <source>drag with the middle button</source>
        <translation>mit der mittleren Taste ziehen</translation>
    </message>
    <message>
        <source>Brush and eraser change places</source>
        <translation>Pinsel und Radierer tauschen</translation>
    </message>
    <message>
        <source>Move pictures up or down</source>
        <translation>Bilder nach oben oder unten</translation>
    </message>
    <message>
        <source>Alt+↑ ↓</source>
        <translation>Alt+↑ ↓</translation>
    </message>
    <message>
        <source>Try failed pictures again</source>
        <translation>Fehlgeschlagene noch einmal</translation>
    </message>
    <message>
        <source>Accept, reject or redo a result</source>
        <translation>Ergebnis annehmen, verwerfen, neu</translation>
    </message>
    <message>
        <source>Take a verdict back</source>
        <translation>Urteil zurücknehmen</translation>
    </message>
    <message>
        <source>Backspace</source>
        <translation>Rücktaste</translation>
    </message>
    <message>
        <source>Show or compare a result</source>
        <translation>Ergebnis zeigen oder vergleichen</translation>
    </message>
    <message>
        <source>Return</source>
        <translation>Eingabe</translation>
    </message>
</context>
<context>
    <name>Sidebar</name>
    <message>
        <source>Where</source>
        <translation>Wo</translation>
    </message>
    <message>
        <source>Renditions</source>
        <translation>Fassungen</translation>
    </message>
    <message>
        <source>How</source>
        <translation>Wie</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Werte</translation>
    </message>
    <message>
        <source>folded</source>
        <translation>zugeklappt</translation>
    </message>
    <message>
        <source>unfolded</source>
        <translation>aufgeklappt</translation>
    </message>
</context>
<context>
    <name>Status</name>
    <message>
        <source>Keep</source>
        <translation>Behalten</translation>
    </message>
    <message>
        <source>Keep it loaded until you unload it</source>
        <translation>Geladen lassen, bis sie entladen wird</translation>
    </message>
    <message>
        <source>Unload</source>
        <translation>Entladen</translation>
    </message>
    <message>
        <source>Free its memory now</source>
        <translation>Ihren Speicher jetzt freigeben</translation>
    </message>
    <message>
        <source>{free} free</source>
        <translation>{free} frei</translation>
    </message>
    <message>
        <source>Connected</source>
        <translation>Verbunden</translation>
    </message>
    <message>
        <source>Starting the daemon…</source>
        <translation>Der Daemon startet …</translation>
    </message>
    <message>
        <source>No daemon</source>
        <translation>Kein Daemon</translation>
    </message>
    <message>
        <source>{title} ({size}) loaded until {time}</source>
        <translation>{title} ({size}) geladen bis {time}</translation>
    </message>
    <message>
        <source>{title} ({size}) in use</source>
        <translation>{title} ({size}) in Gebrauch</translation>
    </message>
    <message>
        <source>{title} ({size}) kept loaded</source>
        <translation>{title} ({size}) bleibt geladen</translation>
    </message>
    <message>
        <source>and {count} more</source>
        <translation>und {count} weitere</translation>
    </message>
</context>
<context>
    <name>Units</name>
    <message>
        <source>under 1 s</source>
        <translation>unter 1 s</translation>
    </message>
    <message>
        <source>{n} s</source>
        <translation>{n} s</translation>
    </message>
    <message>
        <source>{n} min</source>
        <translation>{n} min</translation>
    </message>
    <message>
        <source>{h} h {m} min</source>
        <translation>{h} h {m} min</translation>
    </message>
</context>
<context>
    <name>View</name>
    <message>
        <source>Zoom</source>
        <translation>Zoom</translation>
    </message>
    <message>
        <source>Judge sharpness at 100 %</source>
        <translation>Schärfe bei 100 % beurteilen</translation>
    </message>
</context>
<context>
    <name>Window</name>
    <message>
        <source>Pictures</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>All files</source>
        <translation>Alle Dateien</translation>
    </message>
    <message>
        <source>Open a picture</source>
        <translation>Bild öffnen</translation>
    </message>
    <message>
        <source>Compare with a file</source>
        <translation>Mit einer Datei vergleichen</translation>
    </message>
    <message>
        <source>Pasted picture</source>
        <translation>Eingefügtes Bild</translation>
    </message>
    <message>
        <source>there is no picture in it: copy or drop a file or an image</source>
        <translation>darin ist kein Bild: eine Datei oder ein Bild kopieren oder ablegen</translation>
    </message>
    <message>
        <source>Projects</source>
        <translation>Projekte</translation>
    </message>
    <message>
        <source>Save the project</source>
        <translation>Projekt speichern</translation>
    </message>
    <message>
        <source>Saved as {path}</source>
        <translation>Gespeichert als {path}</translation>
    </message>
    <message>
        <source>Safelight ended unexpectedly. What was done to {name} was kept.</source>
        <translation>Safelight wurde unerwartet beendet. Was an {name} getan wurde, ist noch da.</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Weitermachen</translation>
    </message>
    <message>
        <source>There is unfinished work on this picture.</source>
        <translation>An diesem Bild gibt es unfertige Arbeit.</translation>
    </message>
    <message>
        <source>Safelight {version} restores regions of photographs. The work is done by a daemon; nothing leaves the machine.

Apache-2.0. Icons: part of Safelight. Made with Qt (LGPL).</source>
        <translation>Safelight {version} restauriert Bereiche von Fotos. Die Arbeit macht ein Daemon; nichts verlässt den Rechner.

Apache-2.0. Symbole: Teil von Safelight. Gemacht mit Qt (LGPL).</translation>
    </message>
    <message>
        <source>About Safelight</source>
        <translation>Über Safelight</translation>
    </message>
    <message>
        <source>The daemon is back. What it was doing is done again: {count}</source>
        <translation>Der Daemon ist wieder da. Was er gerade tat, wird noch einmal getan: {count}</translation>
    </message>
    <message>
        <source>Dropped picture</source>
        <translation>Abgelegtes Bild</translation>
    </message>
    <message>
        <source>The window closes when the picture is saved</source>
        <translation>Das Fenster schließt sich, sobald das Bild gespeichert ist</translation>
    </message>
    <message>
        <source>Open recent</source>
        <translation>Zuletzt geöffnet</translation>
    </message>
    <message>
        <source>Main bar</source>
        <translation>Hauptleiste</translation>
    </message>
    <message>
        <source>Tools</source>
        <translation>Werkzeuge</translation>
    </message>
    <message>
        <source>Forget them</source>
        <translation>Liste leeren</translation>
    </message>
    <message>
        <source>Nothing yet</source>
        <translation>Noch nichts</translation>
    </message>
</context>
</TS>
